"""Tax numbers: how they are written, and which are none."""

import pytest

from app.errors import DomainError
from app.tax.errors import TaxErrorCode
from app.tax.tax_ids import normalise_tax_id


@pytest.mark.parametrize(
    ("text", "country", "kept"),
    [
        ("de 136 695 976", None, "DE136695976"),
        ("136695976", "DE", "DE136695976"),
        ("EL 094259216", None, "EL094259216"),
        ("GR094259216", "GR", "EL094259216"),
        ("ATU57194903", "DE", "ATU57194903"),
        ("BE697449992", None, "BE0697449992"),
        ("FR 61 954 506 077", None, "FR61954506077"),
        ("NL004495445B01", None, "NL004495445B01"),
        ("B-58378431", "ES", "ESB58378431"),
        ("GB 980 7806 84", None, "GB980780684"),
        ("XI 980 7806 84", "GB", "XI980780684"),
        ("CHE-107.787.577 MWST", None, "CHE107787577"),
        ("CHE-107.787.577", "LI", "CHE107787577"),
        ("NO 995 525 828 MVA", None, "NO995525828MVA"),
        ("51 824 753 556", "AU", "AU51824753556"),
        ("GODE561231GR8", "MX", "MXGODE561231GR8"),
        # The United Arab Emirates, whose rules the library does not have.
        ("100200300400003", "AE", "AE100200300400003"),
    ],
)
def test_a_number_is_kept_with_its_country_and_without_separators(text: str, country: str | None, kept: str) -> None:
    assert normalise_tax_id(text, country) == kept
    assert normalise_tax_id(kept, country) == kept


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("", None),
        ("DE", "DE"),
        ("DE136695977", None),  # the last digit
        ("DE136695977", "US"),  # not to be taken for a number of a country without rules
        ("136695976", None),  # of where?
        ("ATU57194904", "AT"),
        ("CHE107787578", "CH"),
        ("NO995525829MVA", None),
        ("XY123456789", None),
        ("DE136695976\nBcc: x@y.example", None),
        ("1" * 65, "DE"),
        ("\u0414\u0415136695976", "DE"),
    ],
)
def test_what_is_no_number_is_refused(text: str, country: str | None) -> None:
    with pytest.raises(DomainError) as refused:
        normalise_tax_id(text, country, ["buyerIdentity", "taxId"])
    assert refused.value.code is TaxErrorCode.INVALID_TAX_ID
    assert refused.value.field == ["buyerIdentity", "taxId"]
