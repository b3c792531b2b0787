"""What people upload: the one door for pictures, names, storage, and the deletion of files that no row names any more.

It lies below every app that has files and knows none of them. Why it is so: docs/decisions/uploads.md.

- A picture reaches a row only as what `pictures.read_picture` made: small, WebP, nothing of the sender's file but pixels.
- At most `settings.PICTURES_AT_ONCE` pictures are decoded at once, over all processes.
- A file is deleted after the transaction that let go of it, and only if no row names it.
- A file that could not be written leaves nothing behind, and the person reads so.
"""
