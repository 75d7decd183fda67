"""What the page of privacy and contact asks of its reader, and what he has answered."""

from dataclasses import dataclass
from typing import Any

from accounts.forms import AgreeForm
from accounts.models import CONTACT_PURPOSES, Consent, ConsentText, User
from accounts.services.consents import standing

Purpose = ConsentText.Purpose
OF_EVERYBODY = (Purpose.DATA_PROCESSING, Purpose.MARKETING)


@dataclass(frozen=True)
class Asked:
    """One purpose: the text in force, if any, and the reader's newest answer, if any."""

    purpose: Purpose
    text: ConsentText | None
    answer: Consent | None
    form: AgreeForm

    @property
    def is_agreement(self) -> bool:
        return self.purpose == Purpose.DISTRIBUTOR_AGREEMENT

    @property
    def is_contact(self) -> bool:
        return self.purpose in CONTACT_PURPOSES

    @property
    def is_given(self) -> bool:
        """Whether the newest answer is yes, to whichever text."""
        return self.answer is not None and self.answer.is_given

    @property
    def holds(self) -> bool:
        """Whether it is yes to the text in force."""
        return self.is_given and self.answer is not None and self.answer.text == self.text

    @property
    def is_asked_again(self) -> bool:
        """Whether it was yes to another text than the one in force."""
        return self.is_given and not self.holds and self.text is not None


def purposes_of(user: User) -> tuple[Purpose, ...]:
    """What the user is asked: distributors everything, staff what concerns their own data."""
    return tuple(Purpose) if user.role == User.Role.DISTRIBUTOR else OF_EVERYBODY


def asked_of(user: User, *, bound: dict[str, AgreeForm] | None = None) -> list[Asked]:
    """Each purpose with a text in force or an answer. Two statements.

    `bound` has the form of a purpose that was sent with a mistake.
    """
    texts = {text.purpose: text for text in ConsentText.objects.in_force()}
    answers = standing(user)
    return [
        Asked(
            purpose=purpose,
            text=texts.get(purpose),
            answer=answers.get(purpose),
            form=(bound or {}).get(purpose)
            or agree_form(user, purpose, texts.get(purpose), answers.get(purpose)),
        )
        for purpose in purposes_of(user)
        if purpose in texts or purpose in answers
    ]


def asked_again(user: User) -> list[Asked]:
    """What the user agreed to in other words than those in force now."""
    return [one for one in asked_of(user) if one.is_asked_again]


def agree_form(
    user: User,
    purpose: str,
    text: ConsentText | None = None,
    answer: Consent | None = None,
    data: Any = None,
) -> AgreeForm:
    """The form that gives a consent. It begins empty; only what holds now is ticked."""
    holds = answer is not None and answer.is_given and answer.text == text
    ticked = [name for name in ("email", "phone") if holds and getattr(answer, f"shows_{name}")]
    return AgreeForm(
        data,
        user=user,
        asks_contact=purpose in CONTACT_PURPOSES,
        initial={"shows": ticked},
        auto_id=f"{purpose}_%s",
    )
