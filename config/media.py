"""Serve uploaded pictures in development. In production the web server in front does so."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.static import serve


def serve_upload(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve one file. Names that no file system can hold answer 404, where Django would fail."""
    try:
        return serve(request, path, document_root=str(settings.MEDIA_ROOT))
    except (OSError, ValueError):
        raise Http404 from None
