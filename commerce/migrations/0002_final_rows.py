from django.db import migrations

from commerce.models.order import ORDER_EDGES, PAYMENT_STATUS_EDGES
from commerce.models.payment import PAYMENT_EDGES
from mlmcrm.triggers import append_only, frozen_when, status_edges

LINE = ["quantity", "unit_price", "total_price", "unit_pv", "unit_cv", "unit_margin", "product_id"]


class Migration(migrations.Migration):
    """What is paid, refunded or counted is never edited; states move along their edges only."""

    dependencies = [("commerce", "0001_initial")]

    operations = [
        append_only("commerce_volumeentry"),
        append_only("commerce_refund"),
        append_only("commerce_refunditem"),
        status_edges("commerce_order", ORDER_EDGES),
        status_edges("commerce_order", PAYMENT_STATUS_EDGES, column="payment_status"),
        status_edges("commerce_payment", PAYMENT_EDGES),
        frozen_when(
            "commerce_order",
            "old.paid_at is not null",
            ["customer_id", "distributor_id", "order_class", "total", "currency", "paid_at"],
            "paid_order",
        ),
        frozen_when("commerce_orderitem", "true", LINE, "sold_line"),
        frozen_when(
            "commerce_payment",
            "old.status = 'received'",
            ["order_id", "amount", "currency", "reference", "received_at"],
            "received_payment",
        ),
        migrations.RunSQL(
            "insert into commerce_volumecutoff (id, open_from) values (1, date '1900-01-01')",
            "delete from commerce_volumecutoff where id = 1",
        ),
    ]
