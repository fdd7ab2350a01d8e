"""Signs files with C2PA content credentials, by the certificate of whoever made them (the extra ``c2pa``)."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from catalog_imagegen import __version__
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.label import TRAINED

_MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "TIFF": "image/tiff",
}
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_CLAIM_BYTES = 2048
"""What a manifest of ours takes beside its signature and certificates; 1,150 measured. Thumbnails would add 42 to 103 KB."""


@dataclass(frozen=True)
class ContentCredentials:
    """A certificate chain and its key, PEM; travels to other processes."""

    certificates: bytes = field(repr=False)
    private_key: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Which certificate it is: another one signs every file again."""
        return hashlib.sha256(self.certificates).hexdigest()[:16]

    @property
    def room(self) -> int:
        """Bytes that signing adds at most."""
        return _CLAIM_BYTES + 2 * len(self.certificates) + 1024

    def sign(self, content: bytes, kind: str, source_type: str) -> bytes:
        """Sign a file of the format *kind*; nothing may change it afterwards. Raises ConfigError."""
        c2pa = _library()
        made = io.BytesIO()
        try:
            signer = c2pa.Signer.from_info(
                c2pa.C2paSignerInfo(self._algorithm(c2pa), self.certificates, self.private_key, None)
            )
            context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
            c2pa.Builder(_manifest(source_type), context).sign(signer, _MIME[kind], io.BytesIO(content), made)
        except c2pa.C2paError as error:
            raise ConfigError(
                f"config/app.toml: labels: this certificate cannot sign ({error}); it must be a leaf for e-mail protection "
                "or document signing with the certificates above it behind it, and private_key its key",
                zh=f"config/app.toml：labels：该证书无法签名（{error}）；证书须为用于邮件保护或文档签名的终端证书，并附上级证书，"
                "private_key 须为其私钥",
                code="cannot_sign",
            ) from error
        return made.getvalue()

    def _algorithm(self, c2pa: Any) -> Any:
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 - few sign
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - the same

        try:
            key = load_pem_private_key(self.private_key, password=None)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"config/app.toml: labels.private_key is no PEM key without a password ({error}); name one that is",
                zh=f"config/app.toml：labels.private_key 不是无密码的 PEM 私钥（{error}）；请换成这样的文件",
                code="cannot_sign",
            ) from error
        if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
            return c2pa.C2paSigningAlg[_CURVES[key.curve.name]]
        if isinstance(key, rsa.RSAPrivateKey):
            return c2pa.C2paSigningAlg.PS256
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return c2pa.C2paSigningAlg.ED25519
        raise ConfigError(
            "config/app.toml: labels.private_key is of a kind that C2PA does not know; use EC P-256, RSA or Ed25519",
            zh="config/app.toml：labels.private_key 的类型不受 C2PA 支持；请使用 EC P-256、RSA 或 Ed25519",
            code="cannot_sign",
        )


_SETTINGS = {"builder": {"thumbnail": {"enabled": False}}}


def open_credentials(certificate: Path, private_key: Path) -> ContentCredentials:
    """Read a certificate and its key, and try them. Raises ConfigError."""
    read = []
    for name, path in (("certificate", certificate), ("private_key", private_key)):
        try:
            read.append(path.read_bytes())
        except OSError as error:
            raise ConfigError(
                f"config/app.toml: labels.{name}: {path} cannot be read ({error.strerror}); check the name",
                zh=f"config/app.toml：labels.{name}：无法读取 {path}（{error.strerror}）；请检查文件名",
                code="file_unreadable",
            ) from error
    found = ContentCredentials(*read)
    blank = io.BytesIO()
    Image.new("RGB", (8, 8)).save(blank, "JPEG")
    found.sign(blank.getvalue(), "JPEG", TRAINED)
    return found


def state_of(content: bytes) -> str:
    """What C2PA says of a file: ``Valid``, ``Trusted``, ``Invalid``; empty without credentials, or without the extra."""
    try:
        c2pa = _library()
    except ConfigError:
        return ""
    with Image.open(io.BytesIO(content)) as image:
        mime = _MIME.get(image.format or "", "")
    try:
        with c2pa.Reader(mime, io.BytesIO(content)) as reader:
            return str(reader.get_validation_state())
    except c2pa.C2paError:
        return ""


def _manifest(source_type: str) -> str:
    action = {"action": "c2pa.created", "digitalSourceType": source_type}
    return json.dumps(
        {
            "claim_generator_info": [{"name": "catalog-imagegen", "version": __version__}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
    )


def _library() -> Any:
    try:
        import c2pa  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigError(
            "config/app.toml: labels.certificate needs an extra: pip install 'catalog-imagegen[c2pa]'",
            zh="config/app.toml：labels.certificate 需要附加组件：pip install 'catalog-imagegen[c2pa]'",
            code="extra_missing",
        ) from error
    return c2pa
