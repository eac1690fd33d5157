"""What offer-finder asks of catalogues, what it keeps, and that its answer is a comparison's input."""

from __future__ import annotations

import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import support

FIND = support.tool("offer-finder", "find")
COMPARE = support.tool("shopping-advisor", "compare")
matching = support.module("offer-finder", "matching")
wire = support.module("offer-finder", "wire")


def cny(minor):
    return {"minor": minor, "currency": "CNY"}


def offer(item="a", title="Milk tea", price=1500, **more):
    return {"item": item, "title": title, "price": cny(price), **more}


def product(item="a", title="Milk tea", price=1500, **more):
    return {"id": item, "title": title, "price": {"amount": price, "currency": "CNY"}, **more}


def find(merchants, code=0, words=("milk tea",), **given):
    result = support.run(FIND, {"currency": "CNY", "words": list(words), "merchants": merchants, **given})
    assert result.code == code, result.err
    return result.json() if code in (0, 1) else result.err


class Catalogue:
    """A merchant of this test's own, which says what it is told to."""

    def __init__(self, status=200, body=None, headers=()):
        asked = self.asked = []
        data = body if isinstance(body, bytes) else json.dumps(body).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(status)
                for name, value in (*headers, ("Content-Length", str(len(data)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"


class Words(unittest.TestCase):
    def test_every_word_of_one_phrase(self):
        cases = [
            (["milk tea"], "Milk-Tea, large", True), (["milk tea"], "milk powder", False), (["milk tea", "奶茶"], "珍珠奶茶", True),
            (["奶茶"], "牛奶 红茶", False), (["teas"], "Tea", True), (["box"], "Boxes of tea", True), (["伞"], "雨伞", True), (["ＴＥＡ"], "tea", True),
            (["!!"], "tea", False), (["batteries"], "battery AA", True),
        ]
        for words, title, expected in cases:
            with self.subTest(words=words, title=title):
                self.assertIs(matching.matches(matching.Wish.of(words, None), {"title": title}), expected)

    def test_a_description_decides_nothing_and_a_category_everything(self):
        told = find([{"id": "m", "offers": [
            offer("a", "Green tea", description="contains no milk tea"), offer("b", "Milk tea mug", category="kitchen"), offer("c", category="Drinks"),
        ]}], category="drinks")
        self.assertEqual([found["id"] for found in told["offers"]], ["m:c"])


class Answers(unittest.TestCase):
    def test_is_the_input_of_a_comparison(self):
        schema = json.loads((support.SKILLS / "shopping-advisor" / COMPARE.input).read_text(encoding="utf-8"))
        for path in sorted((support.SKILLS / "offer-finder/examples").glob("*.out.json")):
            with self.subTest(path.name):
                told = json.loads(path.read_text(encoding="utf-8"))
                self.assertEqual(wire.check(told, schema), [])
                self.assertEqual(support.run(COMPARE, told).code, 0)

    def test_numbers_go_through_unchanged(self):
        given = offer(price=1501, delivery=cny(301), free_delivery_from=cny(5001), stock=2, delivery_days=0, coupons=[{"code": "X", "minus": cny(7), "from": cny(9)}])
        told = find([{"id": "m", "offers": [given]}], quantity=2, budget=cny(4000))
        self.assertEqual(told["offers"][0]["price"], cny(1501))
        self.assertEqual(told["shops"][0]["shipping"], {"fee": cny(301), "free_from": cny(5001)})
        self.assertEqual(told["coupons"], [{"id": "m:X", "shop": "m", "kind": "amount_off", "off": cny(7), "min_spend": cny(9)}])
        compared = support.run(COMPARE, told).json()
        self.assertEqual((compared["ranked"][0]["packs"], compared["ranked"][0]["total"]["minor"]), (2, 2 * 1501 + 301 - 7))

    def test_equal_codes_of_two_shops_stay_apart_and_equal_items_of_one_are_one(self):
        shops = [{"id": name, "offers": [offer("a"), offer("a", price=1)], "name": name} for name in ("m", "n")]
        for shop in shops:
            shop["offers"][0]["coupons"] = [{"code": "X", "percent": 10}]
        told = find(shops)
        self.assertEqual([found["id"] for found in told["offers"]], ["m:a", "n:a"])
        self.assertEqual([coupon["id"] for coupon in told["coupons"]], ["m:X", "n:X"])

    def test_titles_are_one_short_line(self):
        told = find([{"id": "m", "offers": [offer(title="Milk tea\n\x1b[31m" + "x" * 500)]}])
        title = told["offers"][0]["title"]
        self.assertTrue(len(title) <= 120 and title.isprintable(), title)

    def test_nothing_found_says_so(self):
        self.assertEqual(find([{"id": "m", "offers": [offer(title="Soap")]}], code=1)["offers"], [])


class Merchants(unittest.TestCase):
    def test_are_asked_for_the_words(self):
        amount = {"amount": 300, "currency": "CNY"}
        coupon = {"code": "X", "text": "2 off", "minus": {"amount": 200, "currency": "CNY"}, "from": amount}
        answer = {"ucp": {}, "products": [product(unit={"quantity": 500, "unit": "ml"}, stock=4)], "delivery": {"fee": amount}, "coupons": [coupon]}
        with Catalogue(body=answer) as shop:
            told = find([{"id": "m", "url": shop.url + "/ucp/"}], words=["milk tea", "奶茶"])
        self.assertEqual([(path, body["query"]) for path, body in shop.asked], [("/ucp/catalog/search", "milk tea"), ("/ucp/catalog/search", "奶茶")])
        self.assertEqual(told["sources"], [{"shop": "m", "name": "m", "state": "answered", "found": 1}])
        self.assertEqual(told["offers"], [{"id": "m:a", "shop": "m", "title": "Milk tea", "price": cny(1500), "currency": "CNY", "pack": "500ml*1", "stock": 4}])
        self.assertEqual(told["shops"], [{"id": "m", "name": "m", "shipping": {"fee": cny(300)}}])
        self.assertEqual(told["coupons"], [{"id": "m:X", "shop": "m", "kind": "amount_off", "off": cny(200), "min_spend": cny(300)}])

    def test_one_that_is_silent_stops_no_other(self):
        bad = [
            (Catalogue(status=500, body={}), "status 500"), (Catalogue(body=b"no json"), "not JSON"), (Catalogue(body={"items": 1}), "no list"),
            (Catalogue(status=302, body={}, headers=[("Location", "http://127.0.0.1:1/")]), "status 302"),
            (Catalogue(body={"products": [product(price=-1)]}), "not readable"), (Catalogue(body={"products": [product(price=None)]}), "not readable"),
            (Catalogue(body=b"[" * (2 * 1024 * 1024 + 9)), "larger than 2 MiB"),
        ]
        for shop, why in bad:
            with self.subTest(why), shop:
                told = find([{"id": "bad", "url": shop.url}, {"id": "good", "offers": [offer()]}])
                self.assertEqual([source["state"] for source in told["sources"]], ["silent", "answered"])
                self.assertIn(why, told["sources"][0]["text"])
                lines = support.run(COMPARE, told).json()["advice"]["lines"]
                self.assertIn("shop_silent", [line["code"] for line in lines])

    def test_the_surroundings_proxy_is_used_even_for_this_machine(self):
        with Catalogue(body={"products": [product()]}) as proxy:
            command = ["env", f"http_proxy={proxy.url}", "no_proxy=localhost,127.0.0.1", *FIND.command]
            given = {"currency": "CNY", "words": ["tea"], "merchants": [{"id": "m", "url": "http://127.0.0.1:9/shop"}]}
            told = support.run(FIND._replace(command=command), given).json()
        self.assertTrue(proxy.asked[0][0].startswith("http://127.0.0.1:9/shop/"), proxy.asked)
        self.assertEqual(len(told["offers"]), 1)

    def test_strange_ones_are_refused(self):
        for merchants, part in [
            ([{"id": "m", "url": "ftp://m/"}], "http"), ([{"id": "m"}], "either url or offers"), ([{"id": "M x", "offers": []}], "lower-case"),
            ([{"id": "m", "offers": []}, {"id": "m", "offers": []}], "twice"),
        ]:
            with self.subTest(part):
                self.assertIn(part, find(merchants, code=3))


if __name__ == "__main__":
    unittest.main()
