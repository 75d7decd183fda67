from genealogy.admin import enrolments, masters, moves, referrals, teams, territories

__all__ = ["enrolments", "masters", "moves", "referrals", "teams", "territories"]
