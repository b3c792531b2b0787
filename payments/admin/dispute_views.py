"""The pages on which staff answer a dispute: write evidence, send it, or accept the loss."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from payments.admin.dispute_advice import advice_on, earlier_refunds, money_rows
from payments.admin.dispute_forms import AcceptanceForm, ConfirmationForm, EvidenceForm
from payments.disputes.answers import (
    AnswerNotPossible,
    accept_dispute,
    add_file,
    evidence_digest,
    reason_against_answer,
    remove_file,
    save_draft,
    submit_evidence,
)
from payments.disputes.evidence_fields import FILES, TEXTS
from payments.disputes.prefill import propose_texts
from payments.models import Dispute, EvidenceDraft, EvidenceFile
from uploads.storage import NotStored

PERMISSION = "payments.answer_dispute"


class DisputePages:
    """Mixin for the admin of disputes: its further pages. All need the permission to answer disputes."""

    def get_urls(self) -> list[URLPattern]:
        pages = [
            ("evidence", self.evidence_view),
            ("submit", self.submit_view),
            ("accept", self.accept_view),
        ]
        wrap = self.admin_site.admin_view  # type: ignore[attr-defined]  # ModelAdmin has it
        urls = [path(f"<int:pk>/{name}/", wrap(view), name=f"payments_dispute_{name}") for name, view in pages]
        return [*urls, *super().get_urls()]  # type: ignore[misc]

    def evidence_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Write the evidence and add files. It is kept as a draft until it is sent."""
        dispute = _dispute_or_404(request, pk)
        if reason := reason_against_answer(dispute):
            return _back(request, dispute, reason, messages.WARNING)
        present = {file.field: file for file in dispute.evidence_files.all()}
        draft = EvidenceDraft.objects.filter(dispute=dispute).select_related("changed_by").first()
        initial = draft.texts if draft else propose_texts(dispute)
        form = EvidenceForm(request.POST or None, request.FILES or None, present_files=present, initial=initial)
        status = 200
        if request.method == "POST" and form.is_valid():
            try:
                _save(form, dispute, request)
            except AnswerNotPossible as refusal:
                form.add_error(None, str(refusal))
            except NotStored as problem:
                form.add_error(None, str(problem))
                status = 503
            else:
                return self._saved(request, dispute)
        context = {"form": form, "draft": draft, "refunds": earlier_refunds(dispute)}
        return self._page(request, dispute, "evidence_edit", "Evidence", context, status=status)

    def submit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what is sent to the bank, and send it."""
        dispute = _dispute_or_404(request, pk)
        form = ConfirmationForm(request.POST or None, initial={"seen": evidence_digest(dispute)})
        if request.method == "POST" and form.is_valid():
            note, seen = form.cleaned_data["note"], form.cleaned_data["seen"]
            try:
                submit_evidence(dispute_id=dispute.pk, by_id=_user_id(request), note=note, seen=seen)
            except AnswerNotPossible as refusal:
                return _back(request, dispute, str(refusal), messages.ERROR)
            self.log_change(request, dispute, "Evidence queued for the bank.")  # type: ignore[attr-defined]
            return _back(request, dispute, "The evidence is being sent to the bank.", messages.SUCCESS)
        if reason := reason_against_answer(dispute):
            return _back(request, dispute, reason, messages.WARNING)
        return self._page(request, dispute, "answer_confirm", "Send the evidence", {"form": form, **_shown(dispute)})

    def accept_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what is lost, and accept it."""
        dispute = _dispute_or_404(request, pk)
        form = AcceptanceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                accept_dispute(dispute_id=dispute.pk, by_id=_user_id(request), note=form.cleaned_data["note"])
            except AnswerNotPossible as refusal:
                return _back(request, dispute, str(refusal), messages.ERROR)
            self.log_change(request, dispute, "Accepted as lost.")  # type: ignore[attr-defined]
            return _back(request, dispute, "The dispute is being accepted as lost.", messages.SUCCESS)
        reason = reason_against_answer(dispute)
        if reason or dispute.is_inquiry:
            return _back(request, dispute, reason or "An inquiry cannot be accepted.", messages.WARNING)
        context = {"form": form, "is_acceptance": True, "money": money_rows(dispute)}
        return self._page(request, dispute, "answer_confirm", "Accept the dispute", context)

    def _saved(self, request: HttpRequest, dispute: Dispute) -> HttpResponse:
        if "review" in request.POST:
            return HttpResponseRedirect(reverse("admin:payments_dispute_submit", args=[dispute.pk]))
        messages.success(request, "Saved. Nothing is sent yet.")
        return HttpResponseRedirect(reverse("admin:payments_dispute_evidence", args=[dispute.pk]))

    def _page(  # noqa: PLR0913  # what a page consists of
        self,
        request: HttpRequest,
        dispute: Dispute,
        template: str,
        title: str,
        context: dict[str, Any],
        *,
        status: int = 200,
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": Dispute._meta,
            "title": title,
            "dispute": dispute,
            "advice": advice_on(dispute),
        }
        return TemplateResponse(request, f"payments/admin/{template}.html", {**shared, **context}, status=status)


def _dispute_or_404(request: HttpRequest, pk: int) -> Dispute:
    """The dispute, for staff who may answer it. Those who may see no dispute do not learn whether it exists."""
    if not request.user.has_perm("payments.view_dispute"):
        raise Http404
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    return get_object_or_404(Dispute.objects.select_related("payment__order__user"), pk=pk)


def _user_id(request: HttpRequest) -> int:
    user_id = request.user.pk
    if user_id is None:
        raise PermissionDenied
    return int(user_id)


def _back(request: HttpRequest, dispute: Dispute, words: str, level: int) -> HttpResponse:
    messages.add_message(request, level, words)
    return HttpResponseRedirect(dispute.get_admin_url())


def _save(form: EvidenceForm, dispute: Dispute, request: HttpRequest) -> None:
    """Save texts and files together, or nothing."""
    by_id = _user_id(request)
    with transaction.atomic():
        save_draft(dispute_id=dispute.pk, texts=form.cleaned_texts, by_id=by_id)
        for name in form.files_to_remove:
            remove_file(dispute_id=dispute.pk, field=name)
        for name, content in form.new_files.items():
            add_file(dispute_id=dispute.pk, field=name, content=content, by_id=by_id)


def _shown(dispute: Dispute) -> dict[str, Any]:
    """The evidence as it will be sent."""
    draft = EvidenceDraft.objects.filter(dispute=dispute).first()
    texts = draft.texts if draft else {}
    files: dict[str, EvidenceFile] = {file.field: file for file in dispute.evidence_files.all()}
    return {
        "texts": [(field.label, texts[field.name]) for field in TEXTS if field.name in texts],
        "files": [(field.label, files[field.name]) for field in FILES if field.name in files],
    }
