"""Forms. What a reseller's fields may be is the library's business: these fields take anything,
and `show_errors` puts what the library refuses beside them."""

import partnerkit
from django import forms


def show_errors(form: forms.Form, refused: partnerkit.ValidationError) -> None:
    """Adds the library's errors to the fields that they are about."""
    for error in refused.errors:
        # `contact.phone.number` is `contact_phone_number` here.
        name = error.field.replace(".", "_")
        field = form.fields.get(name)
        label = field.label if field and field.label else error.field
        form.add_error(name if field else None, f"{label} {error.message}.")


def _text(label: str, *, hidden: bool = False) -> forms.CharField:
    """A field for a text. A password is left as typed, and never sent back to the browser."""
    widget = forms.PasswordInput if hidden else forms.TextInput
    return forms.CharField(label=label, required=False, strip=not hidden, widget=widget)


def _countries() -> list[tuple[str, str]]:
    countries = partnerkit.phone_countries()
    return [("", "—"), *((c.code, f"{c.code} +{c.calling_code}") for c in countries)]


class ResellerForm(forms.Form):
    """A new reseller."""

    partner_type = forms.ChoiceField(
        label="Sells",
        choices=[
            (partnerkit.PartnerType.OWN_PLANS, "its own plans"),
            (partnerkit.PartnerType.COMMISSION, "our plans, for a commission"),
        ],
    )
    name = _text("Name")
    email = _text("Email")
    phone_country = forms.ChoiceField(
        label="Country of the phone", choices=_countries, required=False
    )
    phone_number = _text("Phone")
    password = _text("Password", hidden=True)
    password_confirmation = _text("Password again", hidden=True)
    contact_name = _text("Contact's name")
    contact_email = _text("Contact's email")
    contact_phone_number = _text("Contact's phone, with +")
    login_domain = _text("Login domain")
    website = _text("Website")
    # The fee is the site's own, so here Django checks.
    fee_cents = forms.IntegerField(label="Setup fee in cents", min_value=0, max_value=1_000_000)

    def draft(self) -> partnerkit.ResellerDraft:
        """What was typed, as the library takes it."""
        typed = self.cleaned_data
        return {
            "partner_type": typed["partner_type"],
            "name": typed["name"],
            "email": typed["email"],
            "phone": (typed["phone_country"] or None, typed["phone_number"]),
            "password": typed["password"],
            "password_confirmation": typed["password_confirmation"],
            "contact": {
                "name": typed["contact_name"],
                "email": typed["contact_email"],
                "phone": typed["contact_phone_number"],
            },
            "login_domain": typed["login_domain"],
            "website": typed["website"] or None,
        }


class SignInForm(forms.Form):
    """Who somebody says to be."""

    email = forms.CharField(label="Email")
    password = forms.CharField(label="Password", strip=False, widget=forms.PasswordInput)
