import os

os.environ.setdefault("LECTERN_ENV", "development")
