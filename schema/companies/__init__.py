"""Companies in the schema."""

from schema.companies.approving import OrderApprovalMutations, OrderApprovalQueries
from schema.companies.operations import CompanyMutations, CompanyQueries

__all__ = ["CompanyMutations", "CompanyQueries", "OrderApprovalMutations", "OrderApprovalQueries"]
