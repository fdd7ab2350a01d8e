"""What a placement itself asks of a file, measured: missing our own choice always fails."""

from __future__ import annotations

from collections.abc import Iterator

from catalog_imagegen.domain.imaging import Placement, Verdict
from catalog_imagegen.stages.verdict.measured import Measured
from catalog_imagegen.stages.verdict.rules import STAINED, SUFFIXES

FILL_TOLERANCE = 0.03
"""Shares of the frame: soft edges and shadows that count here and did not there."""
OFF_CENTRE = 0.05
"""Shares of the frame that a product's centre may be away from the frame's."""
_WHITE = (255, 255, 255)


def judge_own(file: Measured, placement: Placement, name: str) -> Iterator[Verdict]:
    """What misses the placement's own choice; *name* is the file's, where it has one."""
    yield from _size(file, placement)
    yield from _encoding(file, placement, name)
    yield from _background(file, placement)
    yield from _product(file, placement)


def _size(file: Measured, placement: Placement) -> Iterator[Verdict]:
    width, height = placement.width, placement.height
    short = {
        "contain": file.width < width and file.height < height,
        "width": file.width < width,
    }.get(placement.fit, file.width < width or file.height < height)
    if short or file.width < placement.min_width or file.height < placement.min_height:
        least = (placement.min_width, placement.min_height) if not short else (width, height)
        yield Verdict(
            "too_small",
            "fail",
            f"{file.width} × {file.height} pixels, and this place takes {least[0]} × {least[1]}; "
            'raise the role\'s size in config/roles.toml, with workflow = "z_image_turbo_2k" where it is to have more than '
            "1280 × 1280, or lower the placement's in config/platforms.toml",
            f"图片为 {file.width} × {file.height} 像素，此位置需要 {least[0]} × {least[1]}；"
            '请在 config/roles.toml 中加大该角色的 size（超过 1280 × 1280 时使用 workflow = "z_image_turbo_2k"），'
            "或在 config/platforms.toml 中减小该位置的 size",
        )
    if file.bytes > placement.max_bytes:
        yield Verdict(
            "too_heavy",
            "fail",
            f"{file.bytes} bytes, and this place takes {placement.max_bytes} at most; "
            "lower the placement's size or raise its max_bytes in config/platforms.toml",
            f"文件为 {file.bytes} 字节，此位置最多 {placement.max_bytes} 字节；"
            "请在 config/platforms.toml 中减小该位置的 size 或提高 max_bytes",
        )


def _encoding(file: Measured, placement: Placement, name: str) -> Iterator[Verdict]:
    found = file.image.format or "?"
    mode = "RGBA" if placement.background == "transparent" else "RGB"
    for code, has, wanted in (
        ("wrong_format", found, placement.format),
        ("wrong_mode", file.image.mode, mode),
    ):
        if has != wanted:
            yield Verdict(
                code,
                "fail",
                f"the file is {has}, and this place takes {wanted}; delete it and run again",
                f"文件为 {has}，此位置需要 {wanted}；请删除该文件后重新运行",
            )
    suffix = name.rpartition(".")[2].casefold()
    if name and suffix not in SUFFIXES.get(found, {suffix}):
        yield Verdict(
            "wrong_extension",
            "fail",
            f"the file is {found}, and its name ends in .{suffix}, so marketplaces refuse it; give it the right ending",
            f"文件实际为 {found}，但扩展名是 .{suffix}，平台会拒收；请改用正确的扩展名",
        )
    if not file.is_srgb:
        yield Verdict(
            "wrong_profile",
            "fail",
            f"its colours are in the profile {file.profile}, which shops show wrongly; convert it to sRGB",
            f"图片使用色彩配置 {file.profile}，网页上颜色会不准；请转换为 sRGB",
        )


def _background(file: Measured, placement: Placement) -> Iterator[Verdict]:
    if placement.background == "white" and (share := file.stained(_WHITE)) > STAINED:
        yield Verdict(
            "not_white",
            "fail",
            f"{share:.0%} of its border is not pure white, as this place asks; make the picture again on a light, even "
            "background, or use a photo of the product on white",
            f"边缘有 {share:.0%} 不是纯白，此位置要求白底；请在浅色均匀的背景上重新生成，或使用白底实拍图",
        )
    if placement.background == "transparent" and (share := file.opaque()) > STAINED:
        yield Verdict(
            "not_transparent",
            "fail",
            f"{share:.0%} of its border is not transparent, as this place asks; make the picture again on a light, even "
            "background, or use a cut-out photo",
            f"边缘有 {share:.0%} 不透明，此位置要求透明底；请在浅色均匀的背景上重新生成，或使用抠好的图",
        )


def _product(file: Measured, placement: Placement) -> Iterator[Verdict]:
    if not placement.fill or file.fill is None:
        return
    if file.fill < placement.fill - FILL_TOLERANCE:
        yield Verdict(
            "not_filled",
            "fail",
            f"the product fills {file.fill:.0%} of the frame, and this place takes {placement.fill:.0%}; "
            "raise the role's size in config/roles.toml, or lower the placement's fill in config/platforms.toml",
            f"商品只占画面 {file.fill:.0%}，此位置需要 {placement.fill:.0%}；"
            "请在 config/roles.toml 中加大该角色的 size，或在 config/platforms.toml 中减小 fill",
        )
    if file.off_centre > OFF_CENTRE:
        yield Verdict(
            "off_centre",
            "warn",
            f"the product is {file.off_centre:.0%} of the frame away from its middle; make the picture again",
            f"商品偏离画面中心 {file.off_centre:.0%}；请重新生成",
        )
