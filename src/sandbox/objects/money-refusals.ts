import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { StripeObject } from './object-store.ts';

/** Stripe's test cards that are declined, as sources and as payment methods. @see https://docs.stripe.com/testing#declined-payments */
export function decline(token: unknown): Answer | undefined {
  const name = /^(?:tok|pm_card)_(?:visa_)?chargeDeclined(\w*)$/.exec(String(token))?.[1];
  if (name === undefined) return undefined;
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).slice(1);
  const [code, declineCode] = OWN_CODES.has(snake)
    ? [snake, undefined]
    : ['card_declined', snake || 'generic_decline'];
  return errorAnswer(402, {
    type: 'card_error',
    code,
    declineCode,
    message: DECLINED[snake] ?? 'Your card was declined.',
  });
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
