import type { OperationName } from '../../core/catalog/catalog.ts';
import { listIn, objectOf, textOf } from './import-format.ts';

/**
 * The tools of Stripe's MCP server, and the calls that each makes.
 * @see https://docs.stripe.com/mcp (table "Tools"), as of 2026-11, and for what those of its toolkit call
 *   github.com/stripe/agent-toolkit, typescript/src/shared (v0.8) and python/stripe_agent_toolkit/functions.py
 */
const TOOLS: Readonly<Record<string, readonly OperationName[]>> = {
  cancel_subscription: ['subscriptions.cancel'],
  create_billing_portal_session: ['billingPortal.sessions.create'],
  create_coupon: ['coupons.create'],
  create_customer: ['customers.create'],
  create_invoice: ['invoices.create'],
  create_invoice_item: ['invoiceItems.create'],
  create_payment_link: ['paymentLinks.create'],
  create_price: ['prices.create'],
  create_product: ['products.create'],
  create_refund: ['refunds.create'],
  finalize_invoice: ['invoices.finalizeInvoice'],
  get_stripe_account_info: ['accounts.retrieveCurrent'],
  list_coupons: ['coupons.list'],
  list_customers: ['customers.list'],
  list_disputes: ['disputes.list'],
  list_invoices: ['invoices.list'],
  list_payment_intents: ['paymentIntents.list'],
  list_prices: ['prices.list'],
  list_products: ['products.list'],
  list_subscriptions: ['subscriptions.list'],
  retrieve_balance: ['balance.retrieve'],
  search_documentation: [],
  search_stripe_documentation: [],
  send_stripe_mcp_feedback: [],
  stripe_api_details: [],
  stripe_api_search: [],
  stripe_implementation_planner: [],
  update_dispute: ['disputes.update'],
  update_subscription: ['subscriptions.update'],
};

/** Tools that reach whatever they are asked for, so that no list of calls says what they need. */
const OPEN_ENDED = [
  'fetch_stripe_resources',
  'search_stripe_resources',
  'stripe_api_execute',
  'stripe_api_read',
  'stripe_api_write',
];

/** The names of the tools in an answer of `tools/list`, as JSON-RPC or bare. */
export function toolsIn(text: string): readonly string[] {
  const answer = objectOf(text);
  const tools = [...listIn(answer?.result, 'tools'), ...listIn(answer, 'tools')];
  return tools.map(({ name }) => textOf(name) ?? '');
}

export function isToolOfStripe(tool: string): boolean {
  return OPEN_ENDED.includes(tool) || Object.hasOwn(TOOLS, tool);
}

/** The calls that a tool makes; or why no list of them can be given. */
export function operationsOfTool(tool: string): readonly OperationName[] | string {
  if (OPEN_ENDED.includes(tool)) return 'a tool that reaches whatever it is asked for';
  return Object.hasOwn(TOOLS, tool) ? (TOOLS[tool] ?? []) : "no tool of Stripe's that is known";
}
