"""Reduces a text to the letters that a reader sees in it, and knows where each stood."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Pairs: what is written, and the Latin letter that it is read as. Upper and lower case differ: В looks like B, в like nothing.
_CYRILLIC = "АAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXаaеeѕsіiјjоoрpсcуyхxԛqԝwһhԁd"
_GREEK = "ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXαaιiκkνvοoρpυu"
_LATIN = "ıiɑaɡgɩi"
# Pairs: the traditional or variant form, and the simplified one. Those that the words of shipped lists can be written in.
_CHINESE = (
    "國国囯国級级頂顶極极獨独無无絕绝與与倫伦舉举雙双銷销業业網网歷历優优強强選选進进質质軍军終终巔巅傳传奇奇"
    "療疗藥药醫医處处癒愈癥症壓压預预補补腎肾壯壮陽阳證证殺杀滅灭專专會会領领導导機机關关隊队減减體体慮虑緊紧張张"
    "嬰婴兒儿護护膚肤妝妆號号復复複复產产標标準准後后時时長长對对個个種种類类萬万億亿勝胜價价實实應应須须歲岁"
    "飲饮醬酱麥麦飯饭營营養养蟲虫鮮鲜貴贵寶宝島岛華华中中東东龍龙鳳凤聖圣靈灵騰腾徹彻顯显減减輕轻鎮镇靜静"
    "朂最冣最苐第壹一"
)
_PAIRS = _CYRILLIC + _GREEK + _LATIN + _CHINESE
_READ_AS = dict(zip(map(ord, _PAIRS[::2]), _PAIRS[1::2], strict=True))
_LEFT_OUT = frozenset("ZCMPS")
"""Categories of characters that are no letters: spaces, controls and invisible ones, accents, punctuation, signs."""
_FILLERS = frozenset((0x115F, 0x1160, 0x3164, 0xFFA0))
"""Hangul fillers: letters by their category, and nothing to be seen."""
_KEPT = frozenset(map(ord, "%"))
"""Signs that are read all the same: 100% is not 100."""
_NUMBER_SIGN = re.compile(r"[#＃](?=\s*[0-9０-９])")  # "#1" is read as "№ 1"


class _Reading(dict[int, str]):
    """Character → what it is read as; filled in as characters are met."""

    def __missing__(self, code: int) -> str:
        is_sign = unicodedata.category(chr(code))[0] in _LEFT_OUT and code not in _KEPT
        is_left_out = is_sign or code in _FILLERS
        self[code] = "" if is_left_out else _READ_AS.get(code, chr(code))
        return self[code]


_reading = _Reading()


def letters(text: str) -> str:
    """What is read in a text: one width, one case, one script for letters that look alike, nothing between them.

    "#1" is read as "No. 1".
    """
    return _letters(_NUMBER_SIGN.sub("№", text) if "#" in text or "＃" in text else text)


def _letters(text: str) -> str:
    return unicodedata.normalize("NFKD", text).translate(_reading).casefold()


@dataclass(frozen=True, slots=True)
class Spread:
    """The letters of a text, each with the position of the character that it was read from."""

    letters: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text these letters stand, with what lies between them."""
        return self.places[start], self.places[end - 1] + 1


def spread(text: str) -> Spread:
    """The same letters, with their places."""
    found = [
        (letter, place)
        for place, character in enumerate(_NUMBER_SIGN.sub("№", text))
        for letter in _letters(character)
    ]
    return Spread("".join(letter for letter, _ in found), tuple(place for _, place in found))
