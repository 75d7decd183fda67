"""The fields of each payout method, by kind and country, and how they are checked.

A form never tells what was typed: errors say what is wrong, not what the number was.
"""

import re
from collections.abc import Callable
from typing import Any

from babel import Locale
from django import forms
from stdnum import bic, bitcoin, iban
from stdnum.exceptions import ValidationError as NumberError
from stdnum.us import rtn

from commissions.models.payout import MethodKind
from commissions.services.payout_methods import MethodDetails

IBAN_COUNTRIES = (
    "AD AE AL AT AZ BA BE BG BH BR CH CR CY CZ DE DK DO EE EG ES FI FO FR GE GI GL GR HR HU IE IL "
    "IQ IS IT JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MT MU NL NO PK PL PS PT QA RO RS SA SC SE "
    "SI SK SM ST TL TN TR UA VA VG XK"
)
NOT_A_COUNTRY = "EU EZ QO UN XA XB ZZ"


def country_choices() -> list[tuple[str, str]]:
    names = Locale.parse("en_GB").territories
    return sorted(
        (
            (code, name)
            for code, name in names.items()
            if len(code) == 2 and code.isalpha() and code not in NOT_A_COUNTRY.split()
        ),
        key=lambda choice: choice[1],
    )


def country_code(text: str) -> str:
    """The code of a country that is written as a code or by its English name; GB otherwise."""
    wanted = text.strip().casefold()
    for code, name in country_choices():
        if wanted in (code.casefold(), name.casefold()):
            return code
    return "GB"


class MethodKindForm(forms.Form):
    """The first step: what kind of method, and in which country."""

    kind = forms.ChoiceField(
        label="How would you like to be paid", choices=MethodKind.choices, widget=forms.RadioSelect
    )
    country = forms.ChoiceField(
        label="Country of the account", choices=country_choices, help_text="Decides what we ask."
    )


def number_field(label: str, **options: Any) -> forms.CharField:
    """A field for a number or an address that is kept sealed."""
    attrs = {"autocomplete": "off", "spellcheck": "false", "class": "mono"}
    attrs |= {"inputmode": options.pop("inputmode", "text")}
    return forms.CharField(label=label, widget=forms.TextInput(attrs=attrs), **options)


def checked(validate: Callable[[str], str], value: str, message: str) -> str:
    try:
        return validate(value)
    except NumberError as error:
        raise forms.ValidationError(message) from error


def matched(pattern: str, value: str, message: str) -> str:
    if not re.fullmatch(pattern, value):
        raise forms.ValidationError(message)
    return value


def compact(value: str) -> str:
    """Without the spaces, dashes and dots that people write between the groups of a number."""
    return re.sub(r"[\s.\-]", "", value).upper()


class MethodForm(forms.Form):
    """Common to all: the holder's name, and what the details amount to."""

    kind = ""
    identifying: tuple[str, ...] = ()
    shown = ""

    holder_name = forms.CharField(
        label="Name of the holder",
        max_length=140,
        help_text="Exactly as it is known there.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["holder_name"]

    def __init__(self, *args: Any, country: str = "", **kwargs: Any) -> None:
        self.country = country
        super().__init__(*args, **kwargs)

    def method_details(self) -> MethodDetails:
        """The checked details. Call it on a valid form."""
        details = {
            name: value
            for name, value in self.cleaned_data.items()
            if value and name != "holder_name"
        }
        return MethodDetails(
            kind=self.kind,
            holder_name=self.cleaned_data["holder_name"],
            details={**details, "country": details.get("country") or self.country},
            identifier="|".join(self.cleaned_data[name].casefold() for name in self.identifying),
            shown=self.shown_text(),
        )

    def shown_text(self) -> str:
        return str(self.cleaned_data[self.shown])


class IBANForm(MethodForm):
    kind = MethodKind.BANK_TRANSFER
    identifying, shown = ("iban",), "iban"

    iban = number_field("IBAN", max_length=50)

    def clean_iban(self) -> str:
        value = checked(iban.validate, self.cleaned_data["iban"], "This is not a valid IBAN.")
        if value[:2] != self.country:
            raise forms.ValidationError("This IBAN belongs to another country.")
        return value


class UKBankForm(MethodForm):
    kind = MethodKind.BANK_TRANSFER
    identifying, shown = ("sort_code", "account_number"), "account_number"

    sort_code = number_field(
        "Sort code", max_length=12, inputmode="numeric", help_text="Six digits, like 20-00-00."
    )
    account_number = number_field(
        "Account number", max_length=12, inputmode="numeric", help_text="Eight digits."
    )

    def clean_sort_code(self) -> str:
        return matched(
            r"[0-9]{6}", compact(self.cleaned_data["sort_code"]), "A sort code has six digits."
        )

    def clean_account_number(self) -> str:
        number = compact(self.cleaned_data["account_number"])
        return matched(r"[0-9]{8}", number, "An account number has eight digits.")


class IndianBankForm(MethodForm):
    kind = MethodKind.BANK_TRANSFER
    identifying, shown = ("ifsc", "account_number"), "account_number"

    account_number = number_field("Account number", max_length=24, inputmode="numeric")
    ifsc = number_field("IFSC", max_length=11, help_text="Eleven characters, like HDFC0000123.")

    def clean_account_number(self) -> str:
        number = compact(self.cleaned_data["account_number"])
        return matched(r"[0-9]{9,18}", number, "An account number has 9 to 18 digits.")

    def clean_ifsc(self) -> str:
        return matched(
            r"[A-Z]{4}0[A-Z0-9]{6}",
            compact(self.cleaned_data["ifsc"]),
            "An IFSC has four letters, a zero and six letters or digits.",
        )


class USBankForm(MethodForm):
    kind = MethodKind.BANK_TRANSFER
    identifying, shown = ("routing_number", "account_number"), "account_number"

    routing_number = number_field("Routing number", max_length=12, inputmode="numeric")
    account_number = number_field("Account number", max_length=20, inputmode="numeric")

    def clean_routing_number(self) -> str:
        number = compact(self.cleaned_data["routing_number"])
        return checked(rtn.validate, number, "This is not a valid routing number.")

    def clean_account_number(self) -> str:
        number = compact(self.cleaned_data["account_number"])
        return matched(r"[0-9]{4,17}", number, "An account number has 4 to 17 digits.")


class OtherBankForm(MethodForm):
    kind = MethodKind.BANK_TRANSFER
    identifying, shown = ("bic", "account_number"), "account_number"

    account_number = number_field("Account number", max_length=40)
    bic = number_field("BIC (SWIFT code)", max_length=11)

    def clean_account_number(self) -> str:
        number = compact(self.cleaned_data["account_number"])
        return matched(r"[A-Z0-9]{4,34}", number, "An account number has letters and digits only.")

    def clean_bic(self) -> str:
        value = checked(bic.validate, self.cleaned_data["bic"], "This is not a valid BIC.")
        if value[4:6] != self.country:
            raise forms.ValidationError("This BIC belongs to another country.")
        return value


class UPIForm(MethodForm):
    kind = MethodKind.UPI
    identifying, shown = ("vpa",), "vpa"

    vpa = number_field("UPI ID", max_length=120, help_text="Like asha.rao@okbank.")

    def clean_vpa(self) -> str:
        value = self.cleaned_data["vpa"].strip().lower()
        pattern = r"[a-z0-9._-]{2,64}@[a-z][a-z0-9]{1,40}"
        return matched(pattern, value, "A UPI ID is a name, an at sign and a bank handle.")

    def shown_text(self) -> str:
        return str(self.cleaned_data["vpa"].partition("@")[0])


class EmailAccountForm(MethodForm):
    """A payee known to the provider by an e-mail address."""

    identifying, shown = ("email",), "email"

    email = forms.EmailField(
        label="E-mail address of the account",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def shown_text(self) -> str:
        return str(self.cleaned_data["email"].partition("@")[0])


class PayPalForm(EmailAccountForm):
    kind = MethodKind.PAYPAL


class LemonSqueezyForm(EmailAccountForm):
    kind = MethodKind.LEMON_SQUEEZY


class CheckForm(MethodForm):
    kind = MethodKind.CHECK
    identifying, shown = ("line1", "postcode", "city"), "postcode"

    line1 = forms.CharField(label="Address", max_length=120)
    line2 = forms.CharField(label="Address, second line", max_length=120, required=False)
    city = forms.CharField(label="Town or city", max_length=80)
    postcode = forms.CharField(label="Postcode", max_length=16)

    def clean_postcode(self) -> str:
        value = " ".join(self.cleaned_data["postcode"].upper().split())
        return matched(r"[A-Z0-9][A-Z0-9 \-]{2,15}", value, "This is not a postcode.")


class CryptoForm(MethodForm):
    kind = MethodKind.CRYPTOCURRENCY
    identifying, shown = ("network", "wallet_address"), "wallet_address"

    network = forms.ChoiceField(choices=[("bitcoin", "Bitcoin"), ("ethereum", "Ethereum")])
    wallet_address = number_field("Address of the wallet", max_length=120)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        address, network = data.get("wallet_address"), data.get("network")
        if address and network:
            try:
                data["wallet_address"] = self.checked_address(network, address.strip())
            except forms.ValidationError as error:
                self.add_error("wallet_address", error)
        return data

    def checked_address(self, network: str, address: str) -> str:
        if network == "bitcoin":
            return checked(bitcoin.validate, address, "This is not a Bitcoin address.")
        return matched(r"0x[0-9a-fA-F]{40}", address, "This is not an Ethereum address.")


class EWalletForm(MethodForm):
    kind = MethodKind.E_WALLET
    identifying, shown = ("provider", "account_id"), "account_id"

    provider = forms.CharField(label="Provider", max_length=60, help_text="Like Skrill or Paytm.")
    account_id = number_field(
        "Account", max_length=120, help_text="The ID, number or e-mail address it is known by."
    )

    def clean_account_id(self) -> str:
        value = self.cleaned_data["account_id"].strip()
        return matched(r"\S{3,120}", value, "An account is written without spaces.")

    def shown_text(self) -> str:
        return str(self.cleaned_data["account_id"].partition("@")[0])


class StripeForm(MethodForm):
    kind = MethodKind.STRIPE
    identifying, shown = ("account_id",), "account_id"

    account_id = number_field("Connected account", max_length=60, help_text="Begins with acct_.")

    def clean_account_id(self) -> str:
        value = self.cleaned_data["account_id"].strip()
        return matched(r"acct_[A-Za-z0-9]{8,50}", value, "An account begins with acct_.")


BANK_FORMS: dict[str, type[MethodForm]] = {
    "GB": UKBankForm,
    "IN": IndianBankForm,
    "US": USBankForm,
}
KIND_FORMS: dict[str, type[MethodForm]] = {
    form.kind: form
    for form in (
        UPIForm,
        PayPalForm,
        LemonSqueezyForm,
        CheckForm,
        CryptoForm,
        EWalletForm,
        StripeForm,
    )
}


def method_form_class(kind: str, country: str) -> type[MethodForm]:
    """The form that asks for what this kind needs in this country."""
    if kind != MethodKind.BANK_TRANSFER:
        return KIND_FORMS[kind]
    fallback = IBANForm if country in IBAN_COUNTRIES.split() else OtherBankForm
    return BANK_FORMS.get(country, fallback)
