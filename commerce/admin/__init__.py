from commerce.admin import masters, sales

__all__ = ["masters", "sales"]
