from commerce.models.customer import Customer
from commerce.models.order import Order, OrderItem
from commerce.models.payment import Payment
from commerce.models.product import Product, ProductCategory
from commerce.models.refund import Refund, RefundItem
from commerce.models.volume import VolumeCutoff, VolumeEntry

__all__ = [
    "Customer",
    "Order",
    "OrderItem",
    "Payment",
    "Product",
    "ProductCategory",
    "Refund",
    "RefundItem",
    "VolumeCutoff",
    "VolumeEntry",
]
