from celery import shared_task

from compliance.services import kyc


@shared_task(name="compliance.tasks.expire_documents")
def expire_documents() -> None:
    kyc.expire_documents()
