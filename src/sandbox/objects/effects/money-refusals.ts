import { type Answer, errorAnswer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { StripeObject } from '../object-store.ts';

/** HTTP 402 for a declined card. @param reason the issuer's; empty for none @see https://docs.stripe.com/declines/codes */
export function decline(reason: string): Answer {
  const [code, declineCode] = OWN_CODES.has(reason)
    ? [reason, undefined]
    : ['card_declined', reason || 'generic_decline'];
  const message = DECLINED[reason] ?? 'Your card was declined.';
  return errorAnswer(402, { type: 'card_error', code, declineCode, message });
}

/** HTTP 402 where the customer would have to be asked, and nobody is there to. */
export function authenticationRequired(): Answer {
  return errorAnswer(402, {
    type: 'card_error',
    code: 'authentication_required',
    declineCode: 'authentication_required',
    message: 'Your card was declined. This transaction requires authentication.',
  });
}

/** The same refusal, with the object that it left behind: `charge`, `payment_intent`, … */
export function withObject(answer: Answer, more: Fields): Answer {
  const { error } = answer.body as { error: Fields };
  return { ...answer, body: { error: { ...error, ...more } } };
}

const OWN_CODES: ReadonlySet<string> = new Set(['expired_card', 'incorrect_cvc', 'processing_error']);
const DECLINED: Readonly<Record<string, string>> = {
  expired_card: 'Your card has expired.',
  incorrect_cvc: "Your card's security code is incorrect.",
  insufficient_funds: 'Your card has insufficient funds.',
  processing_error: 'An error occurred while processing your card. Try again in a little bit.',
};

export function notPositive(amount: number): Answer | undefined {
  if (amount >= 1) return undefined;
  const message = 'This value must be greater than or equal to 1.';
  return errorAnswer(400, { code: 'parameter_invalid_integer', message, param: 'amount' });
}

export function tooMuch(amount: number, most: number, param: string): Answer | undefined {
  if (amount >= 1 && amount <= most) return undefined;
  const message = `The amount to capture must be between 1 and ${most}, the amount that was authorized.`;
  return errorAnswer(400, { message, param });
}

export function alreadyRefunded({ id }: StripeObject): Answer {
  const message = `Charge ${id} has already been refunded.`;
  return errorAnswer(400, { code: 'charge_already_refunded', message });
}

export function missing(param: string): Answer {
  return errorAnswer(400, { code: 'parameter_missing', message: `Missing required param: ${param}.`, param });
}
