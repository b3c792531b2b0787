"""Currencies: their decimals, minimum charges, and amounts written as text (docs: "Supported currencies")."""

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
CURRENCIES = (
    frozenset(
        [
            "usd",
            "aed",
            "all",
            "amd",
            "ars",
            "aud",
            "awg",
            "azn",
            "bam",
            "bbd",
            "bdt",
            "bgn",
            "bmd",
            "bnd",
            "bob",
            "brl",
            "bsd",
            "bwp",
            "byn",
            "bzd",
            "cad",
            "cdf",
            "chf",
            "cny",
            "cop",
            "crc",
            "cve",
            "czk",
            "dkk",
            "dop",
            "dzd",
            "egp",
            "etb",
            "eur",
            "fjd",
            "fkp",
            "gbp",
            "gel",
            "gip",
            "gmd",
            "gtq",
            "gyd",
            "hkd",
            "hnl",
            "htg",
            "huf",
            "idr",
            "ils",
            "inr",
            "isk",
            "jmd",
            "kes",
            "kgs",
            "khr",
            "kyd",
            "kzt",
            "lak",
            "lbp",
            "lkr",
            "lrd",
            "lsl",
            "mad",
            "mdl",
            "mkd",
            "mmk",
            "mnt",
            "mop",
            "mur",
            "mvr",
            "mwk",
            "mxn",
            "myr",
            "mzn",
            "nad",
            "ngn",
            "nio",
            "nok",
            "npr",
            "nzd",
            "pab",
            "pen",
            "pgk",
            "php",
            "pkr",
            "pln",
            "qar",
            "ron",
            "rsd",
            "rub",
            "sar",
            "sbd",
            "scr",
            "sek",
            "sgd",
            "shp",
            "sle",
            "sos",
            "srd",
            "std",
            "szl",
            "thb",
            "tjs",
            "top",
            "try",
            "ttd",
            "twd",
            "tzs",
            "uah",
            "ugx",
            "uyu",
            "uzs",
            "wst",
            "xcd",
            "yer",
            "zar",
            "zmw",
        ]
    )
    | ZERO_DECIMAL
    | THREE_DECIMAL
)
# In these currencies the last digits must be zero: three-decimal amounts are charged in tens, and ISK and UGX only in
# whole units although their amounts have two decimals.
STEPS = dict.fromkeys(THREE_DECIMAL, 10) | {"isk": 100, "ugx": 100}
PAYOUT_STEPS = STEPS | {"huf": 100, "twd": 100}
MINIMUM_CHARGE = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000, "myr": 200, "nok": 300,
    "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "zar": 50,
}  # fmt: skip
MAXIMUM_CHARGE = 99_999_999
SYMBOLS = {"usd": "$", "gbp": "£", "eur": "€", "jpy": "¥", "cad": "CA$", "aud": "A$", "inr": "₹", "brl": "R$"}


def decimals(currency: str) -> int:
    """The number of digits after the decimal point."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def written(amount_minor: int, currency: str) -> str:
    """An amount as Stripe writes it in sentences: `$20.00`, `¥500`, `PLN 12.00`."""
    places = decimals(currency)
    digits = f"{abs(amount_minor) / 10**places:,.{places}f}"
    symbol = SYMBOLS.get(currency) or currency.upper() + "\N{NO-BREAK SPACE}"
    return f"{'-' if amount_minor < 0 else ''}{symbol}{digits}"


def step_of(currency: str, *, is_payout: bool = False) -> int:
    """An amount in minor units must be a multiple of this."""
    return (PAYOUT_STEPS if is_payout else STEPS).get(currency, 1)


def minimum_charge(currency: str) -> int:
    """The smallest amount Stripe charges, in minor units; 1 for a currency without a published minimum."""
    return MINIMUM_CHARGE.get(currency, 1)
