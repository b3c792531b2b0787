"""What all apps' APIs share: how a caller proves who they are, and how an error is written."""
