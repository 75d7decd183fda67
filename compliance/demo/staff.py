"""Who works at the demo company, and who of its distributors can sign in."""

from dataclasses import dataclass

from accounts.models import Profile, User

PASSWORD = "harbour-hearth-demo"  # noqa: S105 (made public on purpose)


@dataclass(frozen=True)
class SignIn:
    """An account of the demo company. `number` is the distributor's in the file, if it is one."""

    role: str
    name: str
    look_at: str
    number: str = ""

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@example.com"


SIGN_INS = [
    SignIn(
        "distributor", "Asha Rao", "the top of the network, a whole month explained", "D-000009"
    ),
    SignIn(
        "distributor",
        "Ben Cole",
        "a payout on its way; an order below him waits to be paid",
        "D-000010",
    ),
    SignIn("distributor", "Clara Vogel", "nobody below her yet, identity not accepted", "D-000040"),
    SignIn("finance", "Fiona Byrne", "closes periods, makes batches"),
    SignIn("finance", "Felix Lang", "approves what Fiona made"),
    SignIn("support", "Sam Okafor", "reviews identities"),
    SignIn("manager", "Mona Haddad", "people, products, orders: book a payment and watch Ben"),
    SignIn("admin", "Ada Nowak", "everything, users included"),
    SignIn("auditor", "Otto Berg", "sees all, changes nothing"),
]


def engage_staff() -> dict[str, User]:
    """The staff accounts by first name."""
    return {
        sign_in.name.split()[0]: open_account(sign_in.name, sign_in.email, sign_in.role, PASSWORD)
        for sign_in in SIGN_INS
        if not sign_in.number
    }


def open_account(
    name: str, email: str, role: str, password: str | None = None, phone: str = ""
) -> User:
    """A user with profile and confirmed address; without a password nobody can sign in yet."""
    user = User.objects.create_user(email, password, role=role, phone=phone, email_verified=True)
    user.emailaddress_set.create(email=email, verified=True, primary=True)
    first, _, last = name.partition(" ")
    Profile.objects.create(user=user, first_name=first, last_name=last, timezone="Europe/London")
    return user
