"""Development only: the demo's data, mailbox, one-click sign-in, embedded servers and process manager."""
