"""The people of a meeting and the ways they are called: `Alice`, `Alice Chen`, `小王`, `王总`, `@bob`."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from transcript import fold

TITLES = "总|工|哥|姐|经理|老师|主任|主管|博士|律师|医生"
SURNAME_FORMS = ("小{0}", "老{0}", "{0}总", "{0}工", "{0}哥", "{0}姐", "{0}经理", "{0}老师", "{0}主任", "{0}主管", "{0}博士")


class Person(NamedTuple):
    """Somebody who was there or was named as such."""

    name: str
    aliases: Tuple[str, ...]


class People:
    """Finds out who is meant; a form that fits two people fits nobody."""

    def __init__(self, given: List[Person], speakers: List[str]):
        self.list: List[Person] = []
        for person in given:
            self._add(person)
        for name in speakers:
            if self._exact(name) is None and self._guess(name) is None:
                self._add(Person(name, ()))
        self._forms = self._all_forms()
        latin = sorted((form for form in self._forms if form.isascii()), key=len, reverse=True)
        other = sorted((form for form in self._forms if not form.isascii()), key=len, reverse=True)
        parts = [r"@?\b(?:" + "|".join(map(re.escape, latin)) + r")\b"] if latin else []
        parts += ["@?(?:" + "|".join(map(re.escape, other)) + ")"] if other else []
        self.pattern = "(?:" + "|".join(parts) + ")" if parts else r"(?!x)x"

    def _add(self, person: Person) -> None:
        if all(fold(person.name) != fold(other.name) for other in self.list):
            self.list.append(person)

    def _exact(self, name: str) -> Optional[Person]:
        wanted = fold(name)
        found = [person for person in self.list if wanted in {fold(form) for form in (person.name, *person.aliases)}]
        return found[0] if len(found) == 1 else None

    def _guess(self, name: str) -> Optional[Person]:
        """Somebody whose first name, given name or surname form this is, if only one fits."""
        wanted = fold(name)
        found = [person for person in self.list if wanted in {fold(form) for form in _short_forms(person.name)}]
        return found[0] if len(found) == 1 else None

    def _all_forms(self) -> Dict[str, Optional[Person]]:
        forms: Dict[str, Optional[Person]] = {}
        for person in self.list:
            for form in {fold(form) for form in (*_short_forms(person.name), *_full_forms(person))}:
                taken = forms.get(form, person)
                forms[form] = person if taken is person else None
        for person in self.list:
            for form in _full_forms(person):
                forms[fold(form)] = person
        return {form: person for form, person in forms.items() if person and form}

    def who(self, form: str) -> Optional[str]:
        """The full name of whoever is called so, if that is one person."""
        person = self._forms.get(fold(form))
        return person.name if person else None


def _full_forms(person: Person) -> List[str]:
    return [person.name, *person.aliases]


def _short_forms(name: str) -> List[str]:
    if re.fullmatch(r"[\u4e00-\u9fff]{2,4}", name):
        if name[0] in "小老" or re.search(f"(?:{TITLES})$", name):
            return []
        given = [name[1:]] if len(name) == 3 else [name[2:]] if len(name) == 4 else []
        return given + [form.format(name[0]) for form in SURNAME_FORMS]
    words = name.split()
    return [words[0]] if len(words) > 1 and len(words[0]) > 1 else []
