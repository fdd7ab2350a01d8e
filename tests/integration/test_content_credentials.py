"""Files are signed by the certificate of whoever made them, last of all."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from catalog_imagegen.adapters.content_credentials import ContentCredentials, open_credentials, state_of
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import Fingerprint, digest
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.pipeline.develop import Developed, Order, develop
from catalog_imagegen.stages.label import TRAINED, read_labels
from tests.unit.builders import placement

MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


def _named(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A shop"),
        ]
    )


def _begun(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture(scope="module")
def chain() -> tuple[bytes, bytes, bytes]:
    """A leaf with its root behind it, the leaf's key, and the root: as a small authority gives them."""
    above, below = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = (
        _begun("Root", "Root", above)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .sign(above, hashes.SHA256())
    )
    leaf = (
        _begun("Shop", "Root", below)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key()), critical=False)
        .sign(above, hashes.SHA256())
    )
    return _pem(leaf) + _pem(root), _key_pem(below), _pem(root)


@pytest.fixture(scope="module")
def credentials(chain: tuple[bytes, bytes, bytes]) -> ContentCredentials:
    """What files are signed with."""
    return ContentCredentials(*chain[:2])


def made(credentials: ContentCredentials, kind: str, max_bytes: int = 10**6) -> Developed:
    """One signed file of a render."""
    buffer = io.BytesIO()
    Image.effect_noise((300, 300), 80).convert("RGB").save(buffer, "PNG")
    render = Render(Fingerprint("a" * 64), digest(buffer.getvalue()), 300, 300)
    place = placement(width=200, height=200, format=kind, max_bytes=max_bytes)
    return develop(buffer.getvalue(), Order(render, (place,), "0011"), credentials=credentials)


@pytest.mark.parametrize("kind", MIME)
def test_a_signed_file_verifies_in_every_format(
    kind: str, credentials: ContentCredentials, chain: tuple[bytes, bytes, bytes]
) -> None:
    """By who trusts the root; the labels are there and alone, and the manifest says what made it."""
    (file,) = made(credentials, kind)
    trust = {"trust": {"trust_anchors": chain[2].decode()}, "verify": {"verify_trust": True}}
    context = c2pa.Context(c2pa.Settings.from_dict(trust))
    with c2pa.Reader(MIME[kind], io.BytesIO(file.content), context=context) as reader:
        assert reader.get_validation_state() == "Trusted"
        manifest = json.loads(reader.json())
    (active,) = manifest["manifests"].values()
    assert active["claim_generator_info"][0]["name"] == "catalog-imagegen"
    (actions,) = [each["data"]["actions"] for each in active["assertions"] if "actions" in each["label"]]
    assert (actions[0]["action"], actions[0]["digitalSourceType"]) == ("c2pa.created", TRAINED)
    assert file.verdicts == ()
    assert len(read_labels(file.content).aigc) == 1


def test_a_change_after_signing_is_seen(credentials: ContentCredentials) -> None:
    """One bit of a pixel."""
    (file,) = made(credentials, "JPEG")
    assert state_of(file.content) == "Valid"
    changed = bytearray(file.content)
    changed[-200] ^= 1
    assert state_of(bytes(changed)) == "Invalid"
    assert state_of(made(credentials, "JPEG")[0].content) == "Valid"


@pytest.mark.parametrize("cap", [18_000, 21_000, 26_000])
def test_the_cap_is_on_the_signed_file(credentials: ContentCredentials, cap: int) -> None:
    """A signature adds bytes, and they count."""
    (file,) = made(credentials, "JPEG", max_bytes=cap)
    assert len(file.content) <= cap
    assert file.verdicts == ()


def test_signing_adds_no_more_than_it_says(credentials: ContentCredentials) -> None:
    """Else a file would be above its cap."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG")
    plain = buffer.getvalue()
    assert 0 < len(credentials.sign(plain, "JPEG", TRAINED)) - len(plain) <= credentials.room


def test_a_certificate_that_cannot_sign_is_told_at_once(
    tmp_path: Path, chain: tuple[bytes, bytes, bytes]
) -> None:
    """Before anything is rendered: a root by itself, a key of another, a file that is missing."""
    leaf, key, root = chain
    other = _key_pem(ec.generate_private_key(ec.SECP256R1()))
    for name, content in (
        ("leaf", leaf),
        ("key", key),
        ("root", root),
        ("other", other),
        ("text", b"no key"),
    ):
        (tmp_path / name).write_bytes(content)
    assert open_credentials(tmp_path / "leaf", tmp_path / "key").name
    for certificate, private_key, code in (
        ("root", "key", "cannot_sign"),
        ("leaf", "other", "cannot_sign"),
        ("leaf", "text", "cannot_sign"),
        ("leaf", "missing", "file_unreadable"),
    ):
        with pytest.raises(ConfigError) as refused:
            open_credentials(tmp_path / certificate, tmp_path / private_key)
        assert (refused.value.code, bool(refused.value.message_zh)) == (code, True)
