import io

import pytest
import requests
import stripe

from sandbox.tests.sandbox_process import KEY

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100
DAY = 24 * 3600


@pytest.fixture
def client(sandbox):
    """Stripe's own client, which needs a base address for file uploads as well."""
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url, "files": sandbox.url}, max_network_retries=0)


@pytest.fixture
def upload(client):
    def uploaded(content=PNG, name="receipt.png", purpose="dispute_evidence", **changes):
        file = io.BytesIO(content)
        file.name = name
        return client.v1.files.create({"purpose": purpose, "file": file, **changes})

    return uploaded


def test_an_uploaded_file_has_its_type_size_and_expiry(sandbox, client, upload):
    file = upload(name="/home/ada/receipt.png")
    assert (file.filename, file.purpose, file.size, file.type) == ("receipt.png", "dispute_evidence", 108, "png")
    assert file.expires_at == file.created + 270 * DAY
    assert (file.links.data, file.links.url) == ([], f"/v1/file_links?file={file.id}")
    assert client.v1.files.retrieve(file.id).to_dict() == file.to_dict()
    assert sandbox.event_types() == ["file.created"]


def test_the_content_can_be_read_only_with_the_key(sandbox, client, upload):
    file = upload()
    shown = requests.get(file.url, auth=(KEY, ""), timeout=10)
    assert (shown.content, shown.headers["Content-Type"]) == (PNG, "image/png")
    assert requests.get(file.url, timeout=10).status_code == 401
    missing = requests.get(f"{sandbox.url}/v1/files/file_none/contents", auth=(KEY, ""), timeout=10)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "resource_missing")
    identity = upload(purpose="identity_document")
    assert identity.url is None
    hidden = requests.get(f"{sandbox.url}/v1/files/{identity.id}/contents", auth=(KEY, ""), timeout=10)
    assert hidden.status_code == 404


def test_files_are_filtered_by_purpose(client, upload):
    evidence, logo = upload(), upload(purpose="business_logo")
    assert [file.id for file in client.v1.files.list().data] == [logo.id, evidence.id]
    assert [file.id for file in client.v1.files.list({"purpose": "dispute_evidence"}).data] == [evidence.id]
    assert client.v1.files.list({"created": {"gt": logo.created}}).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.files.retrieve("file_none")
    assert (refused.value.http_status, refused.value.user_message) == (404, "No such file upload: 'file_none'")


def test_a_file_must_fit_its_purpose(upload):
    with pytest.raises(stripe.InvalidRequestError, match="pdf, jpg, png"):
        upload(content=b"just text", name="receipt.png")
    with pytest.raises(stripe.InvalidRequestError, match="too large"):
        upload(content=PNG + b"\x00" * 5 * 1024 * 1024)
    with pytest.raises(stripe.InvalidRequestError, match="empty"):
        upload(content=b"")
    with pytest.raises(stripe.InvalidRequestError, match="Invalid purpose: must be one of"):
        upload(purpose="holiday_pictures")
    assert upload(content=PNG + b"\x00" * 4 * 1024 * 1024).size > 4 * 1024 * 1024


def test_only_multipart_forms_with_files_are_accepted(sandbox):
    plain = sandbox.http.post(
        f"{sandbox.url}/v1/files", data={"purpose": "dispute_evidence", "file": "text"}, timeout=9
    )
    assert (plain.status_code, plain.json()["error"]["param"]) == (400, "file")
    missing = sandbox.http.post(f"{sandbox.url}/v1/files", files={"purpose": (None, "dispute_evidence")}, timeout=9)
    assert missing.json()["error"]["code"] == "parameter_missing"
    elsewhere = sandbox.http.post(f"{sandbox.url}/v1/customers", files={"name": (None, "Ada")}, timeout=9)
    assert elsewhere.status_code == 400
    broken = sandbox.http.post(
        f"{sandbox.url}/v1/files", data=b"nonsense", headers={"Content-Type": "multipart/form-data"}, timeout=9
    )
    assert broken.status_code == 400
    huge = sandbox.http.post(f"{sandbox.url}/v1/files", files={"file": ("a.pdf", b"%PDF-" * 4_000_000)}, timeout=30)
    assert huge.status_code == 413


def test_an_idempotency_key_uploads_once_and_refuses_another_file(client, upload):
    def again(content):
        file = io.BytesIO(content)
        file.name = "receipt.png"
        parameters = {"purpose": "dispute_evidence", "file": file}
        return client.v1.files.create(parameters, {"idempotency_key": "upload-1"})

    assert again(PNG).id == again(PNG).id
    with pytest.raises(stripe.IdempotencyError):
        again(PNG + b"\x01")
    assert len(client.v1.files.list().data) == 1


def test_a_link_is_public_until_it_expires(sandbox, client, upload):
    file = upload()
    link = client.v1.file_links.create({"file": file.id, "metadata": {"for": "the bank"}})
    assert (link.expired, link.expires_at) == (False, None)
    assert requests.get(link.url, timeout=10).content == PNG
    assert client.v1.files.retrieve(file.id).links.data[0].id == link.id
    expired = client.v1.file_links.update(link.id, {"expires_at": "now", "metadata": {"for": ""}})
    assert (expired.expired, expired.metadata.to_dict()) == (True, {})
    assert requests.get(link.url, timeout=10).status_code == 404
    later = client.v1.file_links.create({"file": file.id, "expires_at": link.created + 3600})
    assert [found.id for found in client.v1.file_links.list({"expired": True}).data] == [link.id]
    assert [found.id for found in client.v1.file_links.list({"expired": False, "file": file.id}).data] == [later.id]
    sandbox.advance(3601)
    shown = client.v1.file_links.retrieve(later.id, {"expand": ["file"]})
    assert (shown.expired, shown.file.id) == (True, file.id)
    assert requests.get(f"{sandbox.url}/links/guess", timeout=10).status_code == 404


def test_a_link_needs_a_readable_file_and_a_future_expiry(client, upload):
    with pytest.raises(stripe.InvalidRequestError, match="cannot be linked"):
        client.v1.file_links.create({"file": upload(purpose="identity_document").id})
    with pytest.raises(stripe.InvalidRequestError, match="future"):
        client.v1.file_links.create({"file": upload().id, "expires_at": 1_600_000_000})
    with pytest.raises(stripe.InvalidRequestError, match="No such file upload: 'file_none'"):
        client.v1.file_links.create({"file": "file_none"})
    linked = upload(file_link_data={"create": True, "metadata": {"a": "b"}})
    assert linked.links.data[0].metadata.to_dict() == {"a": "b"}


def test_files_can_be_evidence(sandbox, client, upload):
    client.v1.payment_intents.create(
        {
            "amount": 2000,
            "currency": "usd",
            "payment_method": "pm_card_createDispute",
            "confirm": True,
            "payment_method_types": ["card"],
        }
    )
    sandbox.advance(10)
    dispute = client.v1.disputes.list().data[0]
    for wrong, words in (("file_none", "No such file upload: 'file_none'"), (upload(purpose="pci_document",
                         content=b"%PDF-1", name="a.pdf").id, "dispute_evidence")):  # fmt: skip
        with pytest.raises(stripe.InvalidRequestError, match=words) as refused:
            client.v1.disputes.update(dispute.id, {"evidence": {"receipt": wrong}})
        assert (refused.value.http_status, refused.value.param) == (400, "evidence[receipt]")
    file = upload()
    updated = client.v1.disputes.update(
        dispute.id, {"evidence": {"receipt": file.id}, "submit": False, "expand": ["evidence.receipt"]}
    )
    assert (updated.evidence.receipt.id, updated.evidence_details.has_evidence) == (file.id, True)
