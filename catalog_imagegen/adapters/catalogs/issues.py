"""The words for each thing that can be wrong with a catalog's cells, rows and sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.values import shortened
from catalog_imagegen.domain.catalog import Issue

if TYPE_CHECKING:
    from catalog_imagegen.domain.catalog import Severity

_WORDS: dict[str, tuple[Severity, str, str]] = {
    "format_mismatch": (
        "note",
        "文件内容是 {kind}，扩展名却是 {suffix}；已按 {kind} 读取，请把文件改名为正确的扩展名",
        "the file holds {kind} but is named {suffix}; it was read as {kind}: rename it",
    ),
    "encoding_guessed": (
        "note",
        "文件没有标明编码，已按 {encoding} 读取；如果文字不对，请用 --encoding 指定编码，或另存为 UTF-8",
        (
            "nothing tells the file's encoding, so it was read as {encoding}; if its words are wrong, "
            "name another with --encoding, or save it as UTF-8"
        ),
    ),
    "hidden_sheet_skipped": (
        "note",
        "工作表“{sheet}”是隐藏的，没有读取；需要的话请在 Excel/WPS 中取消隐藏",
        "sheet {sheet!r} is hidden and was not read; unhide it in Excel/WPS if it is wanted",
    ),
    "hidden_row": (
        "warning",
        "这一行在表格中是隐藏的（可能被筛选掉了），仍已读取；不需要的话请删除该行",
        "the row is hidden (filtered out?) and was read all the same; delete it if it is not wanted",
    ),
    "no_header_found": (
        "note",
        "没有找到表头，整张表未读取；如果它是商品资料，请加一行表头（至少有货号和商品名称）",
        (
            "no header row was found, so the sheet was not read; if it lists products, give it a header row "
            "with at least a SKU and a name column"
        ),
    ),
    "header_row_blank": (
        "note",
        "第 {line} 行是空行，整张表未读取；如果它是商品资料，请改正 header_row（表头所在的行）",
        "line {line} is blank, so the sheet was not read; if it lists products, correct header_row",
    ),
    "default_used": (
        "note",
        "空白的单元格用导入方案的 [defaults] 填写：{filled_zh}；如不正确，请填写单元格或修改方案",
        "empty cells were given the profile's [defaults]: {filled}; if that is wrong, fill in the cells or change the profile",
    ),
    "profile_used": (
        "note",
        "按导入方案“{name}”（{path}）读取，{why_zh}；要换方案请用 --profile 名称，不用方案请用 --profile none",
        (
            "read by the import profile {name!r} ({path}), {why}; --profile NAME takes another, "
            "--profile none does without"
        ),
    ),
    "profile_headers_differ": (
        "note",
        "没有一张表的表头与导入方案“{name}”生成时相同；请用 catalog-imagegen catalog map 查看新的表头，确认后更新方案的 headers",
        (
            "no table has the header that the import profile {name!r} was made for; look at the new one with "
            "catalog-imagegen catalog map, then correct the profile's headers"
        ),
    ),
    "sheet_without_rows": (
        "note",
        "只有表头，没有商品；请填写商品或删除这张表",
        "there is a header but no product below it; fill it in or delete the sheet",
    ),
    "column_without_header": (
        "note",
        "这一列没有表头，其中的内容未读取；请补上表头或清空该列",
        "the column has no header, so what stands in it was not read; give it a header or clear it",
    ),
    "repeated_header": (
        "note",
        "表头“{header}”出现不止一次，这一列记为“{renamed}”；请改成不同的名字",
        "header {header!r} is used twice, so this column is read as {renamed!r}; give it a name of its own",
    ),
    "footer_row_skipped": (
        "note",
        "“{text}”看起来是合计或备注行，已跳过；如果它是商品，请填写货号和商品名称",
        "{text!r} looks like a totals or remarks row and was skipped; if it is a product, fill in its SKU and name",
    ),
    "header_row_repeated": (
        "note",
        "这一行重复了表头，已跳过；可以删除该行",
        "the row repeats the header and was skipped; it can be deleted",
    ),
    "row_without_fields": (
        "note",
        "这一行没有填写任何商品字段，已跳过；如果它是商品，请填写货号和商品名称",
        "no product field is filled in on this row, so it was skipped; if it is a product, fill in its SKU and name",
    ),
    "too_many_cells": (
        "error",
        "这一行的单元格比表头多（内容里可能有未加引号的分隔符），各列可能错位，未采用；请给该内容加上双引号",
        (
            "the line has more cells than the header (an unquoted separator inside a value?), so its columns may have "
            "shifted and it was refused; put the value in double quotes"
        ),
    ),
    "error_cell": (
        "error",
        "单元格是错误值 {text}；请修正公式或直接填写内容",
        "the cell holds the error {text}; repair its formula or type the value",
    ),
    "formula_not_calculated": (
        "error",
        "公式还没有计算过，没有结果；请用 Excel/WPS 打开文件并保存一次",
        "the formula was never calculated, so it has no value; open the file in Excel/WPS and save it once",
    ),
    "cell_picture_not_read": (
        "warning",
        "嵌入单元格的图片目前不会读取；请在这一格填写图片的链接或路径",
        "pictures inside cells are not read; write the picture's URL or path into the cell",
    ),
    "binary_value": (
        "warning",
        "该字段是二进制数据，未读取；请改为存放文字（例如图片的链接或路径）",
        "the value is binary data and was not read; store text instead (such as a picture's URL or path)",
    ),
    "na_like": (
        "note",
        "“{text}”按空白处理；如果确实有内容，请填写",
        "{text!r} is taken as empty; if there is a value, write it",
    ),
    "missing_sku": (
        "error",
        "缺少货号（SKU）；请填写后重新导入",
        "the SKU is missing; fill it in and import again",
    ),
    "missing_name": (
        "error",
        "缺少商品名称；请填写后重新导入",
        "the name is missing; fill it in and import again",
    ),
    "missing_field": (
        "error",
        "缺少必填项“{field}”；请填写，或在 config/columns.toml 中取消必填",
        "the required field {field!r} is empty; fill it in or make it optional in config/columns.toml",
    ),
    "sku_too_long": (
        "error",
        "货号有 {length} 个字符，最多 {limit} 个；请缩短",
        "the SKU has {length} characters, at most {limit} are possible; shorten it",
    ),
    "sku_control_character": (
        "error",
        "货号中有换行或不可见的控制字符；请重新输入货号",
        "the SKU contains a line break or another control character; type it again",
    ),
    "sku_cleaned": (
        "note",
        "货号中的全角字符、不可见字符或前导撇号已整理，读作“{sku}”；如不正确请修改该单元格",
        (
            "full-width or invisible characters or a leading apostrophe were tidied, the SKU reads {sku!r}; "
            "correct the cell if that is wrong"
        ),
    ),
    "precision_lost": (
        "error",
        "{length} 位的货号存成了数字，末尾几位可能已丢失；请把该列设为文本格式并重新输入货号",
        (
            "a SKU of {length} digits is stored as a number and may have lost its last digits; "
            "format the column as text and type the SKU again"
        ),
    ),
    "scientific_text": (
        "error",
        "货号“{text}”是科学计数法，原来的数字已丢失；请把该列设为文本格式并重新输入货号",
        (
            "the SKU {text!r} is in scientific notation, its digits are lost; format the column as text "
            "and type the SKU again"
        ),
    ),
    "sku_not_integer": (
        "error",
        "货号是小数 {text}；请把该列设为文本格式并重新输入货号",
        "the SKU is the fraction {text}; format the column as text and type the SKU again",
    ),
    "sku_is_date": (
        "error",
        "货号被存成了日期 {text}，原来的写法已丢失；请把该列设为文本格式并重新输入货号",
        (
            "the SKU was stored as the date {text}, how it was written is lost; format the column as text "
            "and type the SKU again"
        ),
    ),
    "price_not_number": (
        "warning",
        "价格“{text}”不是数字，已按空白处理；请只填写数字",
        "the price {text!r} is no number and was left out; write digits only",
    ),
    "appearance_missing": (
        "warning",
        "没有填写颜色、材质、形状，各张图片可能画成不同的商品；请至少填写其中一列（颜色、材质、形状）",
        (
            "color, material and shape are all empty, so each picture may show another product; "
            "fill in at least one of these columns (color, material, shape)"
        ),
    ),
    "duplicate_identical": (
        "note",
        "与 {others} 完全相同，只保留第一条；可以删除这一行",
        "the row is identical to {others}, the first one is kept; this one can be deleted",
    ),
    "duplicate_sku_conflict": (
        "error",
        "货号“{sku}”与 {others} 重复，但 {fields} 不同，{taken_zh}；请只保留一行或改正货号",
        "SKU {sku!r} is also in {others} with another {fields}, so {taken}; keep one row or correct the SKU",
    ),
    "duplicate_sku_case": (
        "error",
        "货号“{sku}”与 {others} 只有大小写不同，全部未采用；请统一写法或改正货号",
        (
            "SKU {sku!r} differs from {others} only in upper and lower case, so none of them was taken; "
            "spell them alike or correct the SKU"
        ),
    ),
    "picture_outside_table": (
        "note",
        "这里的图片不在商品行上（例如公司标志），没有采用；如果是商品图片，请移到商品所在的行",
        "the picture lies on no product's row (a logo?) and was not taken; if it shows a product, move it onto its row",
    ),
    "image_format_unknown": (
        "warning",
        "图片不是 JPEG、PNG、WebP、GIF、BMP 或 TIFF（或尺寸过大），未采用；请换成 JPEG 或 PNG 图片重新插入",
        (
            "the picture is no JPEG, PNG, WebP, GIF, BMP or TIFF, or has too many pixels, and was not taken; "
            "insert it again as JPEG or PNG"
        ),
    ),
    "image_without_cell": (
        "warning",
        "有图片固定在页面上，不属于任何单元格，未采用；请把它拖到商品所在的行，并把图片属性设为“大小和位置随单元格而变”",
        (
            "a picture is fixed to the page and belongs to no cell, so it was not taken; drag it onto the product's row "
            "and set its properties to move and size with cells"
        ),
    ),
    "image_unreadable": (
        "warning",
        "图片已损坏或在文件中缺失，未采用；请删除后重新插入图片",
        "a picture is damaged or missing in the file and was not taken; delete it and insert it again",
    ),
    "image_too_large": (
        "warning",
        "图片超过 50 MB，未采用；请压缩图片后重新插入",
        "the picture is larger than 50 MB and was not taken; compress it and insert it again",
    ),
    "image_id_dangling": (
        "warning",
        "单元格引用的嵌入图片不在本文件中（常见于从其他表格复制，或文件被其他软件另存过）；请在 WPS 中重新插入图片",
        (
            "the picture that the cell names is not in this file (copied from another workbook, or saved by a program "
            "that drops it?); insert it again in WPS"
        ),
    ),
    "image_formula_not_literal": (
        "warning",
        "IMAGE 公式的网址要计算才能得到，未采用；请在公式中直接写网址，或改为引用存放网址的单元格",
        (
            "the address in the IMAGE formula has to be calculated, so the picture was not taken; write the URL itself "
            "into the formula, or refer to one cell that holds it"
        ),
    ),
    "image_in_et_unreadable": (
        "warning",
        "旧格式（.et/.xls）中嵌入单元格的图片无法读取；请在 WPS 中另存为 .xlsx 后重新导入",
        "pictures inside cells of an old workbook (.et, .xls) are not readable; save it as .xlsx in WPS and import again",
    ),
}


def issue(
    code: str, where: str, *, sku: str = "", severity: Severity | None = None, **facts: object
) -> Issue:
    """Say *code* about the place *where*; *facts* fill the blanks of its message."""
    usual, zh, en = _WORDS[code]
    blanks = {name: shortened(fact) for name, fact in {"sku": sku, **facts}.items()}
    return Issue(
        where=where,
        code=code,
        severity=severity or usual,
        message_zh=zh.format(**blanks),
        message_en=en.format(**blanks),
        sku=sku,
    )
