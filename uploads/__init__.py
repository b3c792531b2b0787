"""Uploads: the one entrance for pictures, file names, storage, and the deletion of files that no row names any more.

It lies below every app that has files and knows none of them. The reasons are in docs/decisions/uploads.md.

- A row stores only pictures made by `pictures.read_picture`: small, WebP, nothing of the sender's file but its pixels.
- At most `settings.PICTURES_AT_ONCE` pictures are decoded at once, over all processes.
- A file is deleted after the transaction that let go of it, and only if no row names it.
- A file that could not be written leaves nothing behind, and the person gets a message.
"""
