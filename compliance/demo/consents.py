"""The texts the demo company asks people to agree to, and who agreed."""

from collections.abc import Iterable

from django.utils import timezone

from accounts.models import ConsentText, User
from accounts.services.consents import give, publish_text
from compliance.demo.figures import Figures

Purpose = ConsentText.Purpose
TEXTS = {
    Purpose.DISTRIBUTOR_AGREEMENT: (
        "Distributor agreement",
        "You sell products of Harbour & Hearth to people who use them. You are paid for what is "
        "sold, by you and by those you brought in, and never for bringing somebody in.\n\n"
        "The plan in force says what is paid. Changes are announced before they count.\n\n"
        "You may end this agreement at any time. What you have earned until then is paid.",
    ),
    Purpose.DATA_PROCESSING: (
        "How we use your data",
        "We keep your name, address and orders to send you goods, to work out what you earn and to "
        "pay it. The law makes us keep the figures for some years after you leave.\n\n"
        "We hand your data to nobody but our carriers and our bank.",
    ),
    Purpose.MARKETING: (
        "News and offers",
        "We write to you about new products and offers, at most twice a month.\n\n"
        "What you earn and what you may buy does not depend on it.",
    ),
    Purpose.CONTACT_UPLINE: (
        "Being reached by those above you",
        "The distributors above you in the sponsor tree see your e-mail address, your phone number "
        "or both, as you choose, on your page and in lists they keep.\n\n"
        "Without it they see your name, rank, status and volume, and nothing else.",
    ),
    Purpose.CONTACT_DOWNLINE: (
        "Being reached by those you sponsor",
        "The distributors you sponsor see your e-mail address, your phone number or both, as you "
        "choose, beside your name.\n\nWithout it they see your name alone.",
    ),
}


def ask(figures: Figures, users: Iterable[User], author: User) -> None:
    """Publish the texts and have them answered; then a second one of the news, asked anew."""
    answer(_publish(figures, author), users)
    title, body = TEXTS[Purpose.MARKETING]
    publish_text(
        purpose=Purpose.MARKETING,
        version="2",
        title=title,
        body=f"{body}\n\nNew: we also write to you when a product you bought is sold out.",
        effective_from=timezone.localdate(),
        actor=author,
    )


def _publish(figures: Figures, author: User) -> dict[str, ConsentText]:
    """The first version of each text, in force since the month that is closed."""
    return {
        purpose: ConsentText.objects.create(
            purpose=purpose,
            version="1",
            title=title,
            body=body,
            effective_from=figures.closed_month,
            published_by=author,
        )
        for purpose, (title, body) in TEXTS.items()
    }


def answer(texts: dict[str, ConsentText], users: Iterable[User]) -> None:
    """Everybody accepts the agreement, most the use of their data, and some let be reached."""
    for turn, user in enumerate(users):
        agreed = [Purpose.DISTRIBUTOR_AGREEMENT]
        agreed += [Purpose.DATA_PROCESSING] if turn % 10 else []
        agreed += [Purpose.MARKETING] if turn % 3 == 0 else []
        agreed += [Purpose.CONTACT_DOWNLINE] if turn % 2 == 0 else []
        agreed += [Purpose.CONTACT_UPLINE] if turn % 3 else []
        for purpose in agreed:
            shows = ("email", "phone") if turn % 4 else ("email",)
            give(user=user, text=texts[purpose], actor=user, channel="enrolment", shows=shows)
