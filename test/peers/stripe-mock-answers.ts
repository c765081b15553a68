/**
 * Operations whose answer stripe-mock writes in another form than JSON, so that it counts as a stranger's.
 */
export const notJsonFromStripeMock: Readonly<Record<string, string>> = {
  'quotes.pdf':
    'With an id that cannot exist Stripe answers 404 in JSON; stripe-mock answers a PDF for any id.',
};

/**
 * Writes without an id in the path whose probe stripe-mock answers 2xx: it keeps no objects, so it takes
 * any reference for a real one. Stripe answers 404 or 400, as the object cannot exist.
 */
export const harmlessWritesAnswered: Readonly<Record<string, string>> = {
  'billingPortal.sessions.create': 'The customer that the probe names cannot exist.',
  'creditNotes.create': 'The invoice that the probe names cannot exist.',
  'refunds.create': 'The charge that the probe names cannot exist.',
};

/**
 * Fields that stripe-mock expands to an object of another kind than the SDK declares, or that the SDK does not
 * declare as expandable at all. Behind the gate a restricted key gets none of them.
 */
export const expandedOtherwiseByStripeMock: Readonly<Record<string, string>> = {
  'financial_connections.account account_holder.account':
    "The SDK's declaration means the account of Financial Connections by mistake, which no key is known to read.",
  'financial_connections.session account_holder.account': 'The same mistake.',
};

/**
 * Where the id or the object name in stripe-mock's fixtures is not that of src/core/catalog/id-prefix.ts, and why
 * that does no harm.
 */
export const namedOtherwiseByStripeMock: Readonly<Record<string, string>> = {
  'accounts.listCapabilities': 'A capability is named by what it is for: card_payments.',
  'customers.listSources': 'A source is a card or a bank account.',
  'customers.retrieveSource': 'A source is a card or a bank account; the fixture shows an account.',
  'disputes.list': 'Disputes begin with du or, older ones, with dp.',
  'exchangeRates.list': 'An exchange rate is asked for by its currency.',
  'issuing.personalizationDesigns.list': "Stripe's reference shows ipd.",
  'plans.list': 'A plan made as a price keeps the id of the price.',
};
