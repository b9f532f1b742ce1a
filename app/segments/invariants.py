"""Truths about segments: name, description, and the statement that finds the rows that break it."""

TRUTHS = [
    (
        "segments_are_counted",
        "A segment's counters add up to its members.",
        """
        SELECT s.id, s.key, n.counted, m.members
        FROM segments s
        JOIN LATERAL (
            SELECT coalesce(sum(members), 0) AS counted FROM segment_counts WHERE segment_id = s.id
        ) n ON true
        JOIN LATERAL (
            SELECT count(*) AS members FROM segment_memberships WHERE segment_id = s.id AND member
        ) m ON true
        WHERE n.counted <> m.members
        """,
    ),
    (
        "segments_have_the_living",
        "Nobody who was joined to another profile is left in a segment.",
        """
        SELECT m.segment_id, m.profile_id FROM segment_memberships m
        JOIN profiles p ON p.id = m.profile_id JOIN segments s ON s.id = m.segment_id
        WHERE m.member AND p.merged_into_id IS NOT NULL
        """,
    ),
]
