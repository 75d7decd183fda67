from compliance.models.kyc import KYCDocument, KYCImage

__all__ = ["KYCDocument", "KYCImage"]
