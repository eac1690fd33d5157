"""Charts as accessible SVG: a title and a description with the figures, patterns besides colours, labels as text, whole coordinates."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple
from xml.sax.saxutils import escape

import amounts
from statements import Line, pick
from words import say

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 96, 24, 56, 48
INK, GRID, BLUE, ORANGE, GREEN = "#1a1a1a", "#d0d0d0", "#0072b2", "#d55e00", "#007a5a"
LARGEST = 8


class Scale(NamedTuple):
    """From amounts to vertical positions."""

    low: int
    high: int
    step: int

    def y(self, value: int) -> int:
        return HEIGHT - BOTTOM - (value - self.low) * (HEIGHT - TOP - BOTTOM) // max(self.high - self.low, 1)


def draw(income: List[Line], cash: List[Line], months: List[str], currency: str, lang: str) -> List[Dict[str, str]]:
    """The three charts of the report."""
    revenue, net = pick(income, "revenue_total"), pick(income, "net_profit")
    other = pick(income, "other_income_total")
    costs = [first + second - third for first, second, third in zip(revenue.amounts, other.amounts, net.amounts)]
    closing = pick(cash, "cash_closing")
    rows = [("revenue_total", revenue.amounts), ("costs", costs), ("net_profit", net.amounts)]
    told = [say(key, lang) + say("colon", lang) + _list(months, values, currency) for key, values in rows]
    charts = [
        _chart("result", say("chart_result", lang), say("comma", lang).join(told), _bars(revenue.amounts, costs, net.amounts, months, currency, lang)),
        _chart("cash", say("chart_cash", lang), _list(months, closing.amounts, currency), _line(closing.amounts, months, currency)),
    ]
    spent = [(line.name, line.total) for line in income if line.name and line.total and line.key not in ("revenue", "other_income")]
    largest = sorted((item for item in spent if item[1] > 0), key=lambda item: (-item[1], item[0]))
    if largest:
        shown = largest[:LARGEST]
        told_costs = ", ".join(f"{name} {amounts.written(total, currency)}" for name, total in shown)
        charts.append(_chart("costs", say("chart_expenses", lang), told_costs, _rows(shown, currency)))
    return charts


def _list(months: List[str], values: List[int], currency: str) -> str:
    return ", ".join(f"{month} {amounts.written(value, currency)}" for month, value in zip(months, values))


def _chart(name: str, title: str, description: str, body: List[str]) -> Dict[str, str]:
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-title {name}-desc"'
        f' font-family="sans-serif" font-size="13" fill="{INK}">',
        f'<title id="{name}-title">{escape(title)}</title>', f'<desc id="{name}-desc">{escape(description)}</desc>',
        f'<defs><pattern id="{name}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="6" height="6" fill="#fff"/><rect width="3" height="6" fill="{ORANGE}"/></pattern></defs>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', f'<text x="{LEFT}" y="22" font-size="16" font-weight="bold">{escape(title)}</text>',
        *[line.replace("HATCH", f"url(#{name}-hatch)") for line in body], "</svg>",
    ]
    return {"id": name, "title": title, "description": description, "svg": "\n".join(svg) + "\n"}


def _scale(values: List[int]) -> Scale:
    """Round steps that hold all values and zero, at most six."""
    low, high = min(0, *values), max(0, *values)
    step = 1
    while (high - low) > step * 5:
        step = step * 2 if str(step)[0] == "1" else step * 5 // 2 if str(step)[0] == "2" else step * 2
    return Scale(low // step * step, -(-high // step) * step or step, step)


def _grid(scale: Scale, currency: str) -> List[str]:
    found = []
    value = scale.low
    while value <= scale.high:
        y = scale.y(value)
        colour = INK if value == 0 else GRID
        found.append(f'<line x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="{colour}"/>')
        found.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{_short(value, currency)}</text>')
        value += scale.step
    return found


def _short(minor: int, currency: str) -> str:
    text = amounts.written(minor, currency)
    return text.split(".")[0] if "." in text and set(text.split(".")[1]) == {"0"} else text


def _months(months: List[str], slot: int) -> List[str]:
    every = max(1, -(-len(months) // 12))
    return [
        f'<text x="{LEFT + index * slot + slot // 2}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{month}</text>'
        for index, month in enumerate(months) if index % every == 0
    ]


def _bars(revenue: List[int], costs: List[int], net: List[int], months: List[str], currency: str, lang: str) -> List[str]:
    scale = _scale([*revenue, *costs, *net])
    slot = (WIDTH - LEFT - RIGHT) // len(months)
    bar = max(2, min(48, slot // 3))
    found = _grid(scale, currency)
    points: List[Tuple[int, int]] = []
    for index in range(len(months)):
        middle = LEFT + index * slot + slot // 2
        for x, value, fill in ((middle - bar, revenue[index], BLUE), (middle, costs[index], "HATCH")):
            top, foot = sorted((scale.y(value), scale.y(0)))
            found.append(f'<rect x="{x}" y="{top}" width="{bar}" height="{foot - top}" fill="{fill}" stroke="{INK}" stroke-width="0.5"/>')
        points.append((middle, scale.y(net[index])))
    found += _path(points, GREEN) + _months(months, slot)
    legend = [(BLUE, "revenue_total"), ("HATCH", "costs"), (GREEN, "net_profit")]
    for index, (fill, key) in enumerate(legend):
        x = LEFT + index * 150
        square = f'<rect x="{x}" y="34" width="12" height="12" fill="{fill}" stroke="{INK}" stroke-width="0.5"/>'
        mark = f'<circle cx="{x + 6}" cy="40" r="5" fill="{fill}"/>' if key == "net_profit" else square
        found += [mark, f'<text x="{x + 18}" y="45">{escape(say(key, lang))}</text>']
    return found


def _path(points: List[Tuple[int, int]], colour: str) -> List[str]:
    joined = " ".join(f"{x},{y}" for x, y in points)
    dots = [f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}" stroke="#fff"/>' for x, y in points]
    halo = f'<polyline points="{joined}" fill="none" stroke="#fff" stroke-width="5"/>'
    return [halo, f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>', *dots]


def _line(values: List[int], months: List[str], currency: str) -> List[str]:
    scale = _scale(values)
    slot = (WIDTH - LEFT - RIGHT) // len(months)
    points = [(LEFT + index * slot + slot // 2, scale.y(value)) for index, value in enumerate(values)]
    labels = [
        f'<text x="{x}" y="{y - 10}" text-anchor="middle">{_short(value, currency)}</text>' for (x, y), value in zip(points, values)
    ] if len(months) <= 12 else []
    return _grid(scale, currency) + _path(points, BLUE) + labels + _months(months, slot)


def _rows(items: List[Tuple[str, int]], currency: str) -> List[str]:
    height = (HEIGHT - TOP - 24) // max(len(items), 4)
    largest, left = items[0][1], 200
    found = []
    for index, (name, total) in enumerate(items):
        y, width = TOP + index * height, total * (WIDTH - left - 120) // largest
        short = name if len(name) <= 24 else name[:23] + "…"
        found.append(f'<text x="{left - 8}" y="{y + height // 2 + 4}" text-anchor="end">{escape(short)}</text>')
        found.append(f'<rect x="{left}" y="{y + 4}" width="{max(width, 1)}" height="{height - 8}" fill="{BLUE}"/>')
        found.append(f'<text x="{left + width + 6}" y="{y + height // 2 + 4}">{_short(total, currency)}</text>')
    return found
