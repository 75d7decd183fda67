from genealogy.admin import masters, moves, referrals, teams, territories

__all__ = ["masters", "moves", "referrals", "teams", "territories"]
