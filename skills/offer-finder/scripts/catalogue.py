"""Asking one catalogue over HTTP: through the proxy of the surroundings where there is one, bounded, without redirects."""

from __future__ import annotations

import http.client
import json
import os
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

PATIENCE = 10.0
LARGEST = 2 * 1024 * 1024
MOST = 200


class Silent(Exception):
    """The catalogue gave no answer that can be read; says why."""


def search(address: str, words: List[str]) -> List[Dict[str, Any]]:
    """The offers that a catalogue names for each of these phrases, as in UCP: products, a fee for delivery, coupons."""
    found: Dict[str, Dict[str, Any]] = {}
    for phrase in words:
        answer = _post(address.rstrip("/") + "/catalog/search", {"query": phrase, "pagination": {"limit": MOST}})
        products = answer.get("products") if isinstance(answer, dict) else None
        if not isinstance(products, list) or not all(isinstance(product, dict) for product in products):
            raise Silent("its answer has no list of products")
        for product in products[:MOST]:
            offer = _offer(product, answer)
            found.setdefault(str(offer["item"]), offer)
    return list(found.values())[:MOST]


def _offer(product: Dict[str, Any], answer: Dict[str, Any]) -> Dict[str, Any]:
    """One product in the words of this skill; what is there is taken as it is and checked afterwards."""
    delivery = answer.get("delivery") if isinstance(answer.get("delivery"), dict) else {}
    offer = {"item": product.get("id"), "delivery": _money(delivery.get("fee")), "free_delivery_from": _money(delivery.get("free_from"))}
    for key in ("title", "description", "category", "unit", "stock", "delivery_days"):
        if product.get(key) is not None:
            offer[key] = product[key]
    offer["price"] = _money(product.get("price"))
    coupons = answer.get("coupons") if isinstance(answer.get("coupons"), list) else []
    offer["coupons"] = [_coupon(coupon) for coupon in coupons[:50]]
    return offer


def _coupon(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    told = {key: raw[key] for key in ("code", "text", "percent") if raw.get(key) is not None}
    amounts = {key: _money(raw.get(key)) for key in ("minus", "from")}
    return {**told, **{key: amount for key, amount in amounts.items() if amount is not None}}


def _money(raw: Any) -> Optional[Dict[str, Any]]:
    return {"minor": raw.get("amount"), "currency": raw.get("currency")} if isinstance(raw, dict) else None


def _post(address: str, body: Dict[str, Any]) -> Any:
    try:
        connection, path = _connection(address)
        try:
            headers = {"Content-Type": "application/json", "Accept": "application/json", "Host": urlsplit(address).netloc}
            connection.request("POST", path, json.dumps(body, ensure_ascii=False).encode("utf-8"), headers)
            response = connection.getresponse()
            data = response.read(LARGEST + 1)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Silent(f"{type(error).__name__}: {error}") from error
    if response.status != 200:
        raise Silent(f"it answered with status {response.status}")
    if len(data) > LARGEST:
        raise Silent("its answer is larger than 2 MiB")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Silent("its answer is not JSON") from error


def _connection(address: str) -> Tuple[http.client.HTTPConnection, str]:
    """A connection that leads to the address, and what is asked for on it."""
    parts = urlsplit(address)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if not parts.hostname:
        raise ValueError("the address names no host")
    secure, proxy = parts.scheme == "https", _proxy(parts.scheme)
    port = parts.port or (443 if secure else 80)
    if proxy is None:
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(parts.hostname, port, timeout=PATIENCE), path
    if secure:
        tunnel = http.client.HTTPSConnection(proxy[0], proxy[1], timeout=PATIENCE)
        tunnel.set_tunnel(parts.hostname, port)
        return tunnel, path
    return http.client.HTTPConnection(proxy[0], proxy[1], timeout=PATIENCE), address


def _proxy(scheme: str) -> Optional[Tuple[str, int]]:
    """The proxy of the surroundings. In a sandbox every way out leads through it, to this machine's own merchants too."""
    parts = urlsplit(os.environ.get(f"{scheme}_proxy", "") or os.environ.get("all_proxy", ""))
    return (parts.hostname, parts.port) if parts.hostname and parts.port else None
