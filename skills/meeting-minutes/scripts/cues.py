"""Which sentences are decisions, tasks, open points and new topics: word patterns, each tied to its line."""

from __future__ import annotations

import re
from typing import Iterator, List, NamedTuple, Optional, Tuple

from people import People
from transcript import Line

_ENGLISH_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“A-Z0-9@\u4e00-\u9fff])")
_CHINESE_END = re.compile(r"(?<=[。！？；!?])")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|e\.g|i\.e|etc|vs|No|St|approx|Inc|Ltd)\.$", re.IGNORECASE)


class Sentence(NamedTuple):
    """A sentence with its line."""

    line: Line
    text: str


class Task(NamedTuple):
    """Words that give somebody something to do."""

    text: str
    owner: Optional[str]
    rule: str
    status: str  # accepted: taken on by the owner; assigned: given by somebody; asked: put as a question


def sentences(line: Line) -> Iterator[Sentence]:
    """A line's sentences, in English and Chinese."""
    for part in _CHINESE_END.split(line.text):
        held = ""
        for piece in _ENGLISH_END.split(part):
            held = f"{held} {piece}".strip() if held else piece.strip()
            if held and not _ABBREVIATION.search(held):
                yield Sentence(line, held)
                held = ""
        if held:
            yield Sentence(line, held)


# --- decisions ----------------------------------------------------------------------------------------------------

_DECISION_LABEL = re.compile(r"^\W*(?:decisions?|decided|决定|决议|结论)\s*(?:\d+)?\s*[:：]\s*(.+)$", re.IGNORECASE)
_DECISION = re.compile(
    r"\b(?:we|we've|we have|team|board|everyone|all)\b[^.?!]{0,25}\b(?:decided|agreed|agree|approved|chosen|chose)\b|\b(?:decided|agreed) (?:to"
    r"|that|on)\b"
    r"|\blet'?s (?:go (?:with|for|ahead)|stick with|settle on|do it|make it|ship|use|keep|postpone|move (?:it|the) )"
    r"|\bwe(?:'ll| will| are going to|'re going to) (?:go with|go ahead|use|keep|drop|ship|launch|adopt|stick with|switch to|postpone|cancel"
    r"|stay with|freeze)\b"
    r"|\b(?:it'?s|that'?s|that is|it is|so) (?:settled|decided|agreed|final|approved|a deal)\b|^(?:settled|agreed|decided|approved)\b|^(?:我)?(?:也)?同意[。！!]?$"
    r"|\bis approved\b|\bfinal decision\b"
    r"|\b(?:then|so)\b.{1,40}\bit is[.!]?$|决定|定下来|就这么定|就这么办|敲定|一致同意|一致通过|通过了|拍板|(?<![确否])定了|确定(?:为|用|采用|选|在|下来|了|是)|那就(?:用|按|选|采用|定)|最终(?:选|采用|方案是)|同意(?:这个|该|采用|使用|按|用|把)"
    r"|(?:那|就).{0,8}(?:定在|定于|改到|推迟到)",
    re.IGNORECASE)
_NOT_DECIDED = re.compile(
    r"\b(?:haven'?t|hasn'?t|have not|not (?:yet )?(?:been )?(?:decided|agreed|final|settled)|didn'?t|did not|don'?t|do not|can'?t|never|yet to"
    r"|whether|should we|shall we|"
    r"if|unless|before we|until we|once we|need to decide|to be decided|we'll decide|will decide|let'?s decide|wasn'?t|weren'?t)\b"
    r"|没有?决定|没(?:有)?(?:定|敲定|通过)|还没|未(?:决定|定|通过)|尚未|不同意|要不要|是否|能否|如果|要是|吗$|吗[？?]|待定|再(?:决定|定)|无法确定|不确定|待确认|等.{0,12}(?:决定|确定)|由.{0,8}决定|来决定|需要决定",
    re.IGNORECASE)
_BARE = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|so|good|right|great|then|好|好的|行|那|那么)[,，\s]*)?(?:it'?s|that'?s|that is|it is)? ?(?:settled|decided|agreed|approved"
    r"|let'?s do it|let'?s go (?:with|for) (?:it|that)|a deal|就这么定了?|就这么办|(?:我)?(?:也)?同意|定了|通过了?|敲定了?|一致同意|一致通过)\W*$", re.IGNORECASE)


def decision(text: str) -> Optional[str]:
    """The decision a sentence states, if it does."""
    label = _DECISION_LABEL.match(text)
    if label:
        return label.group(1).strip()
    if text.rstrip("\"”’) ").endswith(("?", "？")) or _NOT_DECIDED.search(text) or not _DECISION.search(text):
        return None
    return text


_ASKED_ROUND = re.compile(
    r"[,，.。]?\s*(?:(?:大家|各位)?(?:都|觉得)?(?:同意|可以|没问题|没意见|行|好|赞成)(?:吗|吧|不|么)|(?:is )?(?:everyone|everybody|all) (?:agreed|ok(?:ay)?|happy)(?: with (?:that|it))?"
    r"|(?:do|does) (?:we|everyone) (?:all )?agree|agreed|ok(?:ay)?|right)\s*[?？]\W*$", re.IGNORECASE)


def proposal(text: str) -> str:
    """What was put to the meeting, without the words that ask for agreement."""
    return _ASKED_ROUND.sub("", text) or text


def is_bare(text: str) -> bool:
    """Whether a decision only points back: `It's settled.`, `就这么定了。`"""
    return bool(_BARE.match(text))


# --- open points and topics ---------------------------------------------------------------------------------------

_OPEN = re.compile(
    r"^\W*(?:open (?:question|point|item)s?|parking lot|question|still (?:open|unclear|undecided)|未决(?:事项|问题)?|遗留问题)\s*[:：]\s*(.+)$|\b(?:open question|still need to (?:figure out|decide|find out"
    r"|clarify)|need to decide|"
    r"(?:haven'?t|have not|hasn'?t|not yet) (?:\w+ )?(?:decided|agreed|settled|figured)|to be (?:decided|determined|confirmed)|TBD|TBC|park (?:this"
    r"|that|it)|take (?:this|that|it) offline|we don'?t know (?:yet|if|whether|who|when|how)|we still don'?t know|owes? us an answer)\b"
    r"|待定|还没(?:有)?(?:决定|定|确定|想好)|尚未(?:决定|确定)|有待(?:确认|讨论)|待确认|再讨论|下次(?:再|会)(?:说|议|讨论|定|谈)|不确定(?:是否|能不能)|先放一放", re.IGNORECASE)
_TOPIC = re.compile(
    r"^\W*(?:agenda(?: item)?(?: (?:number )?\w+)?|topic(?: \d+)?|议题[一二三四五六七八九十\d]*|议程[一二三四五六七八九十\d]*)\s*[:：]\s*(.{2,80}?)[.。]?$"
    r"|\b(?:first|second|third|fourth|next|last|final) (?:item|topic|point|agenda item|thing)(?: (?:on (?:the|our) agenda|today))?(?: is|:"
    r"|,)\s+(.{2,80}?)[.。]?$"
    r"|\b(?:let'?s (?:move on|go on|turn) to|moving on to|on to the next (?:topic|item):?)\s+(.{2,80}?)[.。]?$"
    r"|(?:第[一二三四五六七八九十]个?(?:议题|事项|问题|话题)|(?:下一个|最后一个|首先第一个)(?:议题|事项|话题))\s*(?:是|：|:|，|,)\s*(.{2,60}?)[。.]?$|^(?:接下来|然后|下面)(?:我们)?(?:讨论|说说|看看|聊聊|看一下"
    r"|说一下)\s*(.{2,60}?)[。.]?$",
    re.IGNORECASE)


def open_point(text: str) -> Optional[str]:
    """What a sentence leaves open, if it does."""
    match = _OPEN.search(text)
    if match is None:
        return None
    return match.group(1).strip() if match.group(1) else text


_WHOSE = re.compile(r"^(?:and |so |but )?who(?:'s|’s| is| will| can| could| should|) .{3,80}\?\W*$|(?:谁来|谁去|谁负责|谁跟进|由谁|找谁).{0,40}[?？]?\W*$|.{2,40}(?:谁来|谁负责)[?？]\W*$", re.IGNORECASE)


def asks_for_somebody(text: str) -> bool:
    """Whether a sentence asks who does something; it is open unless somebody answers."""
    return bool(_WHOSE.search(text)) and text.rstrip("\"”’) ").endswith(("?", "？"))


def topic(text: str) -> Optional[str]:
    """The topic a sentence opens, if it does."""
    match = _TOPIC.search(text)
    return next((part.strip() for part in match.groups() if part), None) if match else None


# --- tasks --------------------------------------------------------------------------------------------------------

_LABEL = re.compile(r"^\W*(?:action(?: items?)?|ai|to-?do|next steps?|待办|行动项|任务|下一步)\s*(?:\d+)?\s*[:：\-–—]\s*(.+)$", re.IGNORECASE)
_NO_TASK = (
    r"be\b|say\b|just say|share my screen|start (?:with|by|off)|go (?:first|next|ahead|through)|mute|wait|stop|think|let you|pass|admit|explain"
    r"|add that|come back|get (?:back )?to that|"
    r"try to (?:summari[sz]e|explain)|hand (?:it )?over|never|not\b|have to (?:leave|go|drop)|see you|give (?:you|everyone) (?:a|an|some) (?:update"
    r"|overview|context)"
)
_SELF = re.compile(
    rf"\b(?:I(?:'|’)?ll|I will|I(?:'|’)m going to|I am going to|I can|I shall|let me)\s+(?:also\s+|then\s+|try (?:and|to)\s+"
    rf"|go and\s+)?(?!{_NO_TASK})([a-z].+)$", re.IGNORECASE)
_WEAK_SELF = re.compile(r"\b(?:I can|let me)\s", re.IGNORECASE)
_WE = re.compile(r"\b(?:we|somebody|someone) (?:need(?:s)? to|must|have to|has to|should)\s+(.+)$", re.IGNORECASE)
_SOMEBODY = re.compile(r"\b(?:somebody|someone) (?:needs? to|must|has to|should)\s+(?!be\b|have\b|know\b)([a-z].+)$|(?:需要|得|要)有?(?:个)?人(?:来|去)?((?:把|完成|准备|提交|更新|发|确认|给|通知|整理|联系|跟进).+)$", re.IGNORECASE)
_CHINESE_SELF = re.compile(
    r"(?<![让请和跟找给问])我(?:这边)?(?:们组)?(?:会后|回头|争取|尽快|尽量|今天|今晚|明天|后天|(?:本|这|下下?)?(?:周|星期|礼拜)[一二三四五六日天]?|月底|之后|稍后|马上|再)*(?:之?前)?"
    r"(?:来|负责|去|会|跟进|安排|整理|准备|提交|更新|完成|联系|确认|把|给|发|写|做|出|补|修|改)(?!说|觉得|认为|议)(.+)$")
_CHINESE_TAKEN = re.compile(r"^(.{4,60}?)[，,]\s*(?:这个|这件事|这块)?(?:我来(?:办|弄|做|处理|跟)?|交给我|我负责|我去办)(?![\u4e00-\u9fff])(.{0,20})$")
_CHINESE_STRONG_SELF = re.compile(r"我来|我负责|我去|我会|我跟进|我(?:会后|回头)|我这边")
_CHINESE_NO_TASK = re.compile(r"我来(?:说|介绍|总结|讲|开|主持|分享|汇报)|我会(?:议|觉得|不会)|我不|我没|我(?:已经|刚|昨天|上周|之前|上次)|我去年|我去过|我做过|我做了|我写了|我发了|会前我|给我们")
_CHINESE_VERB = "来|负责|去|会|跟进|把|需要|要|准备|整理|安排|提交|更新|完成|联系|确认|给|发|写|做|出|补|修|改|牵头|帮忙|配合|协助|明天|今天|后天|周|下周|本周|这周|月底|会后|尽快"
_AGREE = re.compile(
    r"^\W*(?:yes|yeah|yep|sure|will do|ok(?:ay)?|on it|no problem|of course|absolutely|got it|happy to|can do|done|fine|I can|I(?:'|’)ll|certainly|好"
    r"|好的|没问题|可以|行|嗯|收到|明白|没事|成|当然)", re.IGNORECASE)
_DECLINE = re.compile(
    r"^\W*(?:no\b(?! problem)|sorry|I can'?t|cannot|I(?:'|’)m afraid|unfortunately|not me|I don'?t have time|不行|不了|抱歉|我没时间|没空"
    r"|来不及|做不了)", re.IGNORECASE)


_NO_NAMES = set(
    "he she they it this that we you there these those everyone everybody nobody somebody someone anyone who which what i the a an our my your his her their its "
    "then so and but or if when how next today tomorrow need want try ready time people users customers support sales marketing finance legal engineering".split())


def tasks(sentence: Sentence, people: People) -> Iterator[Task]:
    """The tasks in a sentence: one for each clause that names its own doer, the most telling form first."""
    text, speaker = sentence.text, sentence.line.speaker
    label = _LABEL.match(text)
    if label:
        yield _labelled(label.group(1).strip(), people)
        return
    question = text.rstrip("\"”’) ").endswith(("?", "？")) or text.rstrip("。. ").endswith("吗")
    for clause in _clauses(text, people):
        found = _request(clause, question, people)
        if found is None and not question:
            found = _third(clause, people) or _own(clause, speaker) or _ours(clause) or _stranger(clause)
        if found:
            yield found


def _clauses(text: str, people: People) -> List[str]:
    """`Jo books the room, and Pat will bring the projector` has two; so has `李雷负责A，张明负责B`."""
    name = people.pattern
    stranger = r"(?-i:[A-Z][a-z]+)"
    return re.split(
        rf",?\s+and\s+(?=(?:{name}|{stranger})\s+(?:will|to|should|can)\b)|[，,；;]\s*(?={name}(?:负责|来|去|跟进))"
        rf"|,\s+(?={name}\s+(?:will|to)\b)", text, flags=re.IGNORECASE)


def _labelled(text: str, people: People) -> Task:
    """`Bob to send the deck`, `Bob: send the deck`, `send the deck (Bob)`, `@bob send the deck`, `张伟负责…`."""
    named = re.match(rf"^\W*({people.pattern})\s*(?:to\b|will\b|should\b|shall\b|[:：\-–—,，]|负责|来|去)?\s*(.+)$", text, re.IGNORECASE)
    if named and people.who(named.group(1)):
        return Task(named.group(2).strip(), people.who(named.group(1)), "label", "assigned")
    tail = re.match(rf"^(.+?)\s*(?:[\-–—(（\[]\s*|@|owner\s*[:：]?\s*|负责人\s*[:：]?\s*)({people.pattern})\s*[)）\]]?\W*$", text, re.IGNORECASE)
    if tail and people.who(tail.group(2)):
        return Task(tail.group(1).strip(" ,，;；"), people.who(tail.group(2)), "label", "assigned")
    return Task(text, None, "label", "assigned")


def _request(text: str, question: bool, people: People) -> Optional[Task]:
    name = people.pattern
    forms = [
        rf"(?:^|[,.;]\s*)(?:and |so |ok(?:ay)?,? )?({name})\s*,\s*(?:can|could|would|will) you\s+(?:please\s+|also\s+)*(.+)$",
        rf"\b(?:can|could|would) ({name})\s+(?:please\s+)?(.+)$",
        rf"(?:^|[,.;]\s*)({name})\s*,\s*please\s+(.+)$", rf"^please\s*,?\s*({name})\s*,?\s+(.+)$",
        rf"(?:请|麻烦|让|由|辛苦)\s*({name})(?:你)?\s*(?:来|去|负责)?(?:一下)?\s*(.+)$", rf"^({name})[，,]\s*(?:请|麻烦)?你?\s*(?:能不能|可以|能|可不可以|来|去|负责|帮忙)\s*(.+)$",
        rf"^({name})你\s*(?:来|去|负责|帮忙|跟进)?\s*(.+)$",
    ]
    for form in forms:
        match = re.search(form, text, re.IGNORECASE)
        if match and people.who(match.group(1)):
            return Task(match.group(2).strip(), people.who(match.group(1)), "request", "asked" if question else "assigned")
    match = re.search(rf"^({name})[，,]\s*(.*(?:能|可以|行).*)吗\W*$", text, re.IGNORECASE)
    if match and people.who(match.group(1)):
        return Task(re.sub("你(?:这边|那边)?|能不能|能|可以", "", match.group(2)), people.who(match.group(1)), "request", "asked")
    match = re.search(rf"^({name})[，,]\s*(?:请|麻烦|辛苦|那)?你?(?:们)?([^，,。？?]{{0,12}}(?:把|整理|准备|提交|更新|安排|联系|确认|跟进|完成|通知).+)$", text)
    if match and not question and people.who(match.group(1)):
        return Task(match.group(2).strip(), people.who(match.group(1)), "request", "assigned")
    match = re.search(rf"\b(?:can|could|would|will) you\s+(?:please\s+)?(.+?)\s*,\s*({name})\s*\??$", text, re.IGNORECASE)
    if match and people.who(match.group(2)):
        return Task(match.group(1).strip(), people.who(match.group(2)), "request", "asked")
    match = re.search(rf"\bI(?:(?:'|’)?d| would|(?:'|’)ll)? (?:also )?need (.+?) from you\s*,?\s*[-–—]*\s*({name})\b", text, re.IGNORECASE)
    if match and people.who(match.group(2)):
        return Task(f"give me {match.group(1).strip()}", people.who(match.group(2)), "request", "assigned")
    match = re.search(
        r"\b(?:can|could) you\s+(?:please\s+)?((?!hear|see|repeat|explain|elaborate|say|tell|give us|share your screen"
        r"|go)[a-z].+)$", text, re.IGNORECASE)
    if match and question:
        return Task(match.group(1).strip(), None, "request", "asked")
    match = re.search(r"(?:^|[，,])(?:那|就)?(?:麻烦|请|辛苦)?你(?:来|去|负责|帮忙|帮我)?((?:把|跟进|整理|准备|联系|确认|提交|更新|安排).+)$", text)
    return Task(match.group(1), None, "request", "asked") if match else None


def _third(text: str, people: People) -> Optional[Task]:
    name = people.pattern
    forms = [
        rf"({name})(?:\s*,)?\s+(?:will|is going to|is to|should|needs to|shall|has to|must|'ll)\s+(?!be\b|have\b|know\b|like\b|not\b|probably"
        rf"|want\b)(.+)$",
        rf"({name})\s+to\s+([a-z].+)$", rf"\bassigned to ({name})\b\s*[:,]?\s*(.+)$",
        rf"({name})(?:你|这边|那边)?(?:{_CHINESE_VERB})(.+)$",
    ]
    for index, form in enumerate(forms):
        match = re.search(form, text, re.IGNORECASE)
        if match and people.who(match.group(1)) and not re.search(
            r"(?:told|asked|spoke|talked|want|wanted|belongs|thanks|went|sent|gave|give|send|hand"
            r"|back)\s*$", text[: match.start()], re.IGNORECASE):
            if index == 1 and re.search(r"\b(?:from|for|with|and|of|to)\s*$", text[: match.start()], re.IGNORECASE):
                continue
            if index == 3 and re.search(r"(?:给|跟|和|与|问|找|把|对|是)$|(?:昨天|上周|刚|已经)", text[: match.start()]) or re.match(r"^(?:说|的|过|了|觉得|认为)", match.group(2)):
                continue
            start = match.start(2) if index < 3 else match.end(1)
            return Task(text[start:].strip(), people.who(match.group(1)), "named", "assigned")
    return None


def _stranger(text: str) -> Optional[Task]:
    """`Pat Novak to confirm the hall`: a name that no attendee has."""
    match = re.match(r"^([A-Z][a-z]+(?: [A-Z][a-z]+)?) (?:to|will) ([a-z].+)$", text)
    if match is None or match.group(1).split()[0].lower() in _NO_NAMES or re.match(r"(?:be|have|probably|need)\b", match.group(2)):
        return None
    return Task(match.group(2), match.group(1), "stranger", "assigned")


def _own(text: str, speaker: Optional[str]) -> Optional[Task]:
    match = _SELF.search(text)
    if match:
        return Task(match.group(1).strip(), speaker, "weak_self" if _WEAK_SELF.search(match.group(0)) else "self", "accepted")
    match = _CHINESE_TAKEN.match(text)
    if match:
        return Task(match.group(1) + match.group(2), speaker, "self", "accepted")
    match = _CHINESE_SELF.search(text)
    if match and not _CHINESE_NO_TASK.search(text):
        rule = "self" if _CHINESE_STRONG_SELF.search(match.group(0)) else "weak_self"
        return Task(match.group(0)[1:].strip(), speaker, rule, "accepted")
    return None


def _ours(text: str) -> Optional[Task]:
    match = _SOMEBODY.search(text)
    if match:
        return Task(next(part for part in match.groups() if part).strip(), None, "somebody", "assigned")
    match = _WE.search(text) or re.search(r"(?:我们|大家|需要有人).{0,12}?((?:把|完成|准备|提交|更新|发|确认|给).+)$", text)
    return Task(match.group(1).strip(), None, "nobody", "assigned") if match else None


def answer(following: List[Line], owner: Optional[str], asker: Optional[str]) -> Tuple[Optional[str], Optional[str]]:
    """How a request was taken in the next lines: (`accepted` or `declined` or None, who answered)."""
    for line in following[:3]:
        if line.speaker == asker or (owner is not None and line.speaker != owner):
            continue
        if _DECLINE.match(line.text):
            return "declined", line.speaker
        if _AGREE.match(line.text):
            return "accepted", line.speaker
    return None, None
