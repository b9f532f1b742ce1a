"""Statements that find and lock everybody whom an address, a browser and a cart may stand for."""


def sql_of_candidates(email: str, phone: str, visitor: str, cart_profile: str) -> str:
    """Everybody whom this may be about, locked in the order of their ids: the one with the address, and those whom the
    visitor and the cart stand for. A profile that was merged or erased while we waited for its lock does not come
    back."""
    return f"""
    SELECT p.id, p.email, p.phone, p.first_name, p.last_name, p.language, p.country_code, p.postal_code,
           p.id = (SELECT coalesce(o.merged_into_id, o.id) FROM visitors v JOIN profiles o ON o.id = v.profile_id
                   WHERE v.id = {visitor}) AS is_visitors,
           p.id = (SELECT coalesce(o.merged_into_id, o.id) FROM profiles o WHERE o.id = {cart_profile}) AS is_carts
    FROM profiles p
    WHERE p.merged_into_id IS NULL AND p.erased_at IS NULL AND p.id = ANY(ARRAY(
        SELECT id FROM profiles WHERE lower(email) = lower({email}) AND email IS NOT NULL AND merged_into_id IS NULL
        UNION ALL
        SELECT id FROM profiles
        WHERE {email}::text IS NULL AND phone = {phone} AND email IS NULL AND merged_into_id IS NULL
        UNION ALL
        SELECT coalesce(o.merged_into_id, o.id) FROM visitors v JOIN profiles o ON o.id = v.profile_id
        WHERE v.id = {visitor}
        UNION ALL
        SELECT coalesce(o.merged_into_id, o.id) FROM profiles o WHERE o.id = {cart_profile}
    ))
    ORDER BY p.id FOR UPDATE OF p
    """


def sql_of_buyer(email: str, phone: str, cart_profile: str) -> str:
    """SQL: who may be the buyer, locked, for a statement that locks their cart as well; its rows are for
    `identification.identify_buyer`. Who is not seen there yet is found by looking again.

    Args:
        email, phone, cart_profile: the statement's parameters or expressions.
    """
    return sql_of_candidates(email, phone, "NULL::uuid", cart_profile)
