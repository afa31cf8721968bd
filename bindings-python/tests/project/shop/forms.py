"""A form that is right."""

PASSWORD = "plain teal walrus 94 umbrella"


def draft(label):
    return {
        "partner_type": "own_plans",
        "name": f"The {label} company",
        "email": f"owner@{label}.example",
        "phone": ("US", "(415) 555-2671"),
        "contact": {
            "name": "Ann Lee",
            "email": "ann@contact.example",
            "phone": "+49 30 901820",
        },
        "login_domain": label,
        "invite": False,
        "password": PASSWORD,
        "password_confirmation": PASSWORD,
    }
