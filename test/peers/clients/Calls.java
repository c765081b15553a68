import com.stripe.Stripe;
import com.stripe.exception.StripeException;
import com.stripe.model.Charge;
import com.stripe.model.Coupon;
import com.stripe.model.Customer;
import com.stripe.model.Invoice;
import com.stripe.model.PaymentIntent;
import com.stripe.model.Payout;
import com.stripe.model.Price;
import com.stripe.model.Product;
import com.stripe.model.Refund;
import com.stripe.model.Subscription;
import com.stripe.model.SubscriptionItem;
import com.stripe.model.checkout.Session;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Calls that an agent's tests make, by the stripe-java on the class path. Prints a line for each: its name, a tab, "ok"
 * or what went wrong.
 */
public class Calls {
  interface Work {
    boolean run() throws Exception;
  }

  static Customer customer;
  static Charge charge;
  static Price price;
  static Subscription subscription;

  public static void main(String[] args) {
    Stripe.overrideApiBase(System.getenv("STRIPE_BASE"));
    Stripe.apiKey = System.getenv("STRIPE_KEY");
    Stripe.setMaxNetworkRetries(0);
    Stripe.enableTelemetry = false;

    step("customers.create", () -> {
      customer = Customer.create(Map.of("email", "java@example.com", "metadata", Map.of("order", "17"),
          "payment_method", "pm_card_visa",
          "invoice_settings", Map.of("default_payment_method", "pm_card_visa")));
      return customer.getMetadata().get("order").equals("17") && customer.getCreated() > 0 && !customer.getLivemode();
    });
    step("charges.create", () -> {
      charge = Charge.create(Map.of("amount", 900, "currency", "usd", "source", "tok_visa"));
      return charge.getAmount() == 900 && charge.getPaid();
    });
    step("refunds.create", () -> {
      Refund refund = Refund.create(Map.of("charge", charge.getId(), "amount", 400));
      return refund.getAmount() == 400 && refund.getCharge().equals(charge.getId());
    });
    step("charges.retrieve", () -> Charge.retrieve(charge.getId(), Map.of("expand", List.of("customer")), null)
        .getAmountRefunded() == 400);
    step("prices.create", () -> {
      Product product = Product.create(Map.of("name", "Gold"));
      price = Price.create(Map.of("currency", "usd", "product", product.getId(), "unit_amount", 2500,
          "recurring", Map.of("interval", "month", "interval_count", 3)));
      return price.getUnitAmount() == 2500 && price.getRecurring().getIntervalCount() == 3
          && price.getProduct().equals(product.getId());
    });
    step("subscriptions.create", () -> {
      subscription = Subscription.create(Map.of("customer", customer.getId(), "cancel_at_period_end", true,
          "items", List.of(Map.of("price", price.getId(), "quantity", 2))));
      SubscriptionItem item = subscription.getItems().getData().get(0);
      return item.getQuantity() == 2 && item.getPrice().getId().equals(price.getId())
          && subscription.getCancelAtPeriodEnd();
    });
    step("subscriptions.cancel", () -> subscription.cancel(Map.of()).getStatus().equals("canceled"));
    step("checkout.sessions.create", () -> {
      Session session = Session.create(Map.of("mode", "payment", "success_url", "https://example.com/ok",
          "cancel_url", "https://example.com/no", "line_items", List.of(Map.of("quantity", 2, "price_data",
              Map.of("currency", "usd", "unit_amount", 500, "product_data", Map.of("name", "T-shirt"))))));
      return session.getId().startsWith("cs_test_") && session.getUrl() != null && session.getStatus().equals("open");
    });
    step("payment_intents.create", () -> {
      Map<String, Object> params = new HashMap<>(
          Map.of("amount", 1200, "currency", "eur", "payment_method", "pm_card_visa", "confirm", true));
      // The newest versions of the API choose the methods themselves.
      if (System.getenv("STRIPE_NEWEST") == null) params.put("payment_method_types", List.of("card"));
      PaymentIntent intent = PaymentIntent.create(params);
      return intent.getStatus().equals("succeeded") && intent.getAmountReceived() == 1200;
    });
    step("coupons.create", () -> {
      Coupon coupon = Coupon.create(Map.of("duration", "once", "percent_off", 12.5));
      return coupon.getPercentOff().compareTo(new BigDecimal("12.5")) == 0 && coupon.getValid();
    });
    step("invoices.create", () -> Invoice.create(Map.of("customer", customer.getId())).getCustomer()
        .equals(customer.getId()));
    step("customers.list", () -> {
      int count = 0;
      for (Customer one : Customer.list(Map.of("limit", 1)).autoPagingIterable()) count++;
      return count == 1;
    });
    step("customers.update", () -> customer.update(Map.of("name", "Ada")).getName().equals("Ada"));
    step("customers.delete", () -> customer.delete().getDeleted());
    step("payouts.create is forbidden", () -> {
      try {
        Payout.create(Map.of("amount", 1, "currency", "usd"));
        return false;
      } catch (StripeException refused) {
        return refused.getStatusCode() == 403 && "more_permissions_required".equals(refused.getCode());
      }
    });
  }

  static void step(String name, Work work) {
    String said = "ok";
    try {
      if (!work.run()) said = "the answer is not as it should be";
    } catch (Throwable error) {
      said = error.getClass().getSimpleName() + ": " + error.getMessage();
    }
    System.out.println(name + "\t\"" + said.replaceAll("[\\\\\"\n\t]", " ") + "\"");
  }
}
