from django.apps import AppConfig


class CommerceConfig(AppConfig):
    name = "commerce"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.imports.kinds import register
        from commerce.first_orders import OfferOfProducts
        from commerce.services.customers import open_self_accounts, owners_of
        from commerce.services.import_customers import CUSTOMERS
        from commerce.services.import_orders import ORDERS
        from commerce.services.import_products import PRODUCTS
        from commerce.services.volume import volumes_of_subtrees
        from genealogy.services.enrolment import also_on_enrolment, also_owns_references
        from genealogy.services.first_orders import offer_first_orders
        from genealogy.services.placement import also_weighs_legs

        for kind in (CUSTOMERS, PRODUCTS, ORDERS):
            register(kind)
        also_on_enrolment(open_self_accounts)
        also_owns_references(owners_of)
        also_weighs_legs(volumes_of_subtrees)
        offer_first_orders(OfferOfProducts())
