"""Companies in the schema."""

from schema.companies.operations import CompanyMutations, CompanyQueries

__all__ = ["CompanyMutations", "CompanyQueries"]
