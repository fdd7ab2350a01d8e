"""Reads the product's colour and kind from Chinese words: its name first, the prompt around it second."""

import hashlib
import re

Colour = tuple[int, int, int]

COLOURS: dict[str, Colour] = {
    "黑": (52, 53, 58),
    "白": (240, 240, 238),
    "灰": (150, 154, 160),
    "红": (196, 58, 56),
    "粉": (238, 172, 184),
    "橙": (232, 134, 58),
    "橘": (234, 126, 62),
    "黄": (240, 198, 78),
    "绿": (92, 148, 108),
    "青": (78, 158, 164),
    "蓝": (70, 116, 176),
    "紫": (138, 108, 172),
    "棕": (134, 94, 66),
    "褐": (118, 84, 62),
    "咖": (122, 88, 66),
    "米": (232, 218, 192),
    "杏": (242, 210, 176),
    "驼": (190, 152, 112),
    "金": (206, 172, 104),
    "银": (196, 200, 206),
    "卡其": (182, 158, 118),
    "燕麦": (220, 204, 178),
    "琥珀": (192, 124, 52),
    "奶油": (244, 234, 212),
    "象牙": (244, 238, 222),
    "米白": (242, 236, 222),
    "豆沙": (170, 84, 80),
    "藏青": (42, 58, 98),
    "黄铜": (178, 142, 82),
    "苔绿": (112, 130, 82),
    "墨绿": (42, 82, 66),
}
PLEASANT = [COLOURS[word] for word in "红橙黄绿青蓝紫粉棕米"]
WHITE: Colour = (255, 255, 255)
DARK: Colour = (24, 24, 30)
GREY: Colour = (176, 180, 184)
_WORDS = "|".join(sorted(COLOURS, key=len, reverse=True))
_SHADES = {
    "浅": (WHITE, 0.4),
    "淡": (WHITE, 0.4),
    "雾": (GREY, 0.25),
    "雾霾": (GREY, 0.25),
    "鼠尾草": (GREY, 0.4),
}
_HUE = rf"(?P<shade>浅|淡|深|墨|藏|暗|雾霾|雾|鼠尾草)??(?P<word>{_WORDS})"
NAMED, ANY = re.compile(f"{_HUE}色"), re.compile(_HUE)
# "厘米" is a length, "金属" a material, "口红" a thing, and what stands around the product is not the product.
_NO_COLOUR = re.compile(
    r"[厘毫分平纳玉小克\d]米|平方米|米[饭饮]|金[属融箍]|[合五]金|[口腮]红|红[茶酒枣外]|绿[茶植]|黄[油昏]|青[年少]"
    r"|咖啡(?!色)|喷粉|粉[底末饼]|[散蜜奶]粉|[蛋美]白|白(?:底|榆|平衡|卡|板|瓷)|银行|纯白(?!色)"
    rf"|[浅淡深]?(?:{_WORDS})+色?[^，。；、：的]{{0,2}}的?[^，。；、：的]{{0,2}}(?:背景|渐变|细竖线|台面|墙|地面|地毯|表面)"
)
_NEAR = 25  # characters around the name
_SENTENCE = re.compile(r"[。；：，！？,;:\n]")
_QUANTITY = re.compile(r"[一两二三四五六\d][只台件个双条支瓶盒罐把辆顶盏套副张款份枚袋包对]")

SHAPES: list[tuple[str, str]] = [
    ("earphones", r"耳机|耳塞"),
    ("tumbler", r"(?:便携|保温|随行|随手|吸管|运动)[^，。]{0,3}杯"),
    ("cup", r"杯|碗"),
    ("baby_bottle", r"奶瓶"),
    ("dropper", r"精华液?|安瓶|精油"),
    ("bottle", r"瓶|壶|香水|洗发[水露]?|乳液|爽肤水|沐浴露|酱油|饮料"),
    ("jar", r"面霜|眼霜|晚霜|霜|面膜|膏(?!体)"),
    ("honey", r"蜂蜜|果酱"),
    ("canister", r"坚果|果仁|奶粉|燕麦片|罐"),
    ("coffee", r"咖啡豆?|茶叶|麦片"),
    ("cakes", r"凤梨酥|糕点?|酥|饼干?|月饼|巧克力|礼盒"),
    ("pouch", r"零食|肉干|果干|薯片|大米|猫粮|狗粮"),
    ("lipstick", r"口红|唇膏|唇釉"),
    ("brushes", r"化妆刷|刷具?"),
    ("shoe", r"鞋|靴"),
    ("romper", r"连体衣|爬服|哈衣|襁褓|包被"),
    ("jacket", r"冲锋衣|夹克|外套|羽绒服|风衣|大衣|卫衣"),
    ("shirt", r"衬衫|衬衣|长袖[^，。连]{0,3}[衣衫恤]|毛衣|针织衫"),
    ("dress", r"裙"),
    ("trousers", r"裤"),
    ("garment", r"衣|衫|T恤|短袖|背心"),
    ("arm_lamp", r"折臂[^，。]{0,4}灯|长臂[^，。]{0,4}灯"),
    ("lantern", r"(?:露营|营地)灯|马灯|提灯"),
    ("lamp", r"灯"),
    ("tent", r"帐篷|天幕"),
    ("speaker", r"音箱|音响"),
    ("power_bank", r"充电宝|移动电源"),
    ("keyboard", r"键盘"),
    ("humidifier", r"加湿器|香薰机"),
    ("bedding", r"[三四六]件套|床品|被子?|毛毯|枕头?"),
    ("backpack", r"双肩[^，。]{0,3}包|背包|书包"),
    ("tote", r"(?<!面)包(?![装边裹含])"),
    ("stroller", r"推车|婴儿车|童车"),
    ("chair", r"椅|凳"),
]


def product_colour(text: str, seed: int, name: str = "") -> Colour:
    """Take the colour of the product *name* in *text*; without any, a pleasant one that depends on *seed* only.

    The words before the name win ("一只墨绿色的便携咖啡杯"), then those in it, then those after it; the rest of
    the text speaks of the surroundings and counts only when nothing else names a colour.
    """
    plain = _NO_COLOUR.sub(lambda match: "　" * len(match[0]), text)
    title = _NO_COLOUR.sub(lambda match: "　" * len(match[0]), name)
    places = _places(text, name)
    found = [match for start, _ in places if (match := _before(plain[max(start - _NEAR, 0) : start]))]
    found += [match for match in (NAMED.search(title), ANY.search(title)) if match]
    after = [_first(plain[end : end + _NEAR].split("。")[0]) for _, end in places]
    found += [match for match in (*after, NAMED.search(plain), ANY.search(plain)) if match]
    if found:
        return _shaded(found[0])
    digest = hashlib.sha256(str(seed).encode()).digest()
    return PLEASANT[digest[0] % len(PLEASANT)]


def product_shape(text: str, name: str = "") -> str:
    """Choose the silhouette *name* ends in, as Chinese puts the thing last; without one, the first in *text*.

    A box if neither names a known thing.
    """
    ends = [(match.end(), len(match[0]), shape) for match, shape in _things(name)]
    if ends:
        return max(ends)[2]
    starts = [(match.start(), -len(match[0]), shape) for match, shape in _things(text)]
    return min(starts)[2] if starts else "box"


def _things(text: str) -> list[tuple[re.Match[str], str]]:
    return [(match, shape) for shape, words in SHAPES for match in re.finditer(words, text)]


def _places(text: str, name: str) -> list[tuple[int, int]]:
    """Where *text* speaks of the product: by its name, perhaps without the brand, or by the first known thing."""
    is_title = not text.startswith(name) or _things(name)  # else the prompt's first words stand for a name
    for start in range(len(name) - 1 if is_title else 0):
        if (part := name[start:].strip()) and part in text:
            return [match.span() for match in re.finditer(re.escape(part), text)]
    starts = [match.span() for match, _ in _things(text)]
    return sorted(starts)[:1]


def _before(words: str) -> re.Match[str] | None:
    """Give the colour of what *words* lead up to: the first after the quantity, or else the nearest."""
    words = _SENTENCE.split(words)[-1]
    counted = _QUANTITY.split(words)
    if len(counted) > 1:
        return _first(counted[-1])
    return max(ANY.finditer(words), key=re.Match.start, default=None)


def _first(words: str) -> re.Match[str] | None:
    return ANY.search(words)


def _shaded(match: re.Match[str]) -> Colour:
    colour = COLOURS[match["word"]]
    if not match["shade"]:
        return colour
    other, share = _SHADES.get(match["shade"], (DARK, 0.4))
    return mix(colour, other, share)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """Blend *share* of *other* into *one*."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
