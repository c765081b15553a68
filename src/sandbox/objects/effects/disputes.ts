import type { Fields } from '../../../http/form-body.ts';
import type { StripeObject } from '../object-store.ts';
import { post } from './books.ts';
import { type Effect, type EffectContext, type Effects, makeBeside, refuse, seconds } from './effect.ts';

/** How long one has for evidence on most networks. @see https://docs.stripe.com/disputes/responding */
const EVIDENCE_DAYS = 9;
const DAY_S = 86_400;

/** The card's holder disputes a charge: its money goes, unless it is but an inquiry. */
export function openDispute(charge: StripeObject, reason: string, context: EffectContext): void {
  const isInquiry = reason === 'inquiry';
  const dispute = makeBeside(
    'disputes',
    {
      amount: charge.amount_captured,
      charge: charge.id,
      currency: charge.currency,
      payment_intent: charge.payment_intent,
      reason: isInquiry ? 'fraudulent' : reason,
      status: isInquiry ? 'warning_needs_response' : 'needs_response',
    },
    context,
  );
  Object.assign(dispute, {
    evidence_details: {
      ...(dispute.evidence_details as Fields),
      due_by: seconds(context) + EVIDENCE_DAYS * DAY_S,
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    is_charge_refundable: isInquiry,
  });
  charge.disputed = true;
  context.happened('charge.dispute.created', dispute);
  if (isInquiry) return;
  move(dispute, -Number(dispute.amount), context);
  context.happened('charge.dispute.funds_withdrawn', dispute);
}

function move(dispute: StripeObject, amount: number, context: EffectContext): void {
  const transaction = post(context, { type: 'adjustment', amount, source: dispute });
  dispute.balance_transactions = [...((dispute.balance_transactions ?? []) as unknown[]), transaction];
}

function isClosed({ status }: StripeObject): boolean {
  return status === 'won' || status === 'lost' || status === 'warning_closed' || status === 'prevented';
}

/** Nothing can be said any more of a dispute that is over, that was answered, or whose time has run out. */
const mayUpdate: Effect = (dispute, context) => {
  const { evidence } = context.fields;
  if (evidence === undefined && context.fields.submit !== true) return undefined;
  if (isClosed(dispute)) return refuse('This dispute is already closed.', { param: 'evidence' });
  if (String(dispute.status).endsWith('under_review'))
    return refuse('This dispute already has evidence submitted, and cannot be updated.', {
      param: 'evidence',
    });
  const { due_by: due } = dispute.evidence_details as { due_by: number | null };
  return due !== null && seconds(context) > due
    ? refuse('The deadline for submitting evidence has passed.', { param: 'evidence' })
    : undefined;
};

/** Evidence is submitted unless `submit` is false. @see https://docs.stripe.com/api/disputes/update */
const update: Effect = (dispute, context) => {
  const { evidence, submit } = context.fields;
  const details = dispute.evidence_details as Fields & { submission_count: number };
  const hasEvidence = details.has_evidence === true || (evidence !== undefined && evidence !== '');
  if ((evidence === undefined && submit !== true) || submit === false) {
    dispute.evidence_details = { ...details, has_evidence: hasEvidence };
    context.happened('charge.dispute.updated', dispute);
    return undefined;
  }
  dispute.evidence_details = {
    ...details,
    has_evidence: hasEvidence,
    submission_count: details.submission_count + 1,
    submission_method: 'manual',
  };
  dispute.status = String(dispute.status).startsWith('warning') ? 'warning_under_review' : 'under_review';
  context.happened('charge.dispute.updated', dispute);
  return judge(dispute, (evidence as Fields | undefined)?.uncategorized_text, context);
};

/** Test mode decides by the evidence's own words. @see https://docs.stripe.com/testing#disputes */
function judge(dispute: StripeObject, text: unknown, context: EffectContext): undefined {
  if (text === 'winning_evidence') {
    const isInquiry = dispute.status === 'warning_under_review';
    dispute.status = isInquiry ? 'warning_closed' : 'won';
    if (!isInquiry) {
      move(dispute, Number(dispute.amount), context);
      context.happened('charge.dispute.funds_reinstated', dispute);
    }
    context.happened('charge.dispute.closed', dispute);
  } else if (text === 'losing_evidence') lose(dispute, context);
  return undefined;
}

function lose(dispute: StripeObject, context: EffectContext): void {
  dispute.status = 'lost';
  context.happened('charge.dispute.closed', dispute);
}

const close: Effect = (dispute, context) => {
  if (isClosed(dispute)) return refuse('This dispute is already closed.');
  lose(dispute, context);
  return undefined;
};

/** Once its time has run out, a dispute that nobody answered is lost. */
export const disputeLater: Effect = (dispute, context) => {
  const details = dispute.evidence_details as Fields & { due_by: number | null };
  if (!String(dispute.status).endsWith('needs_response')) return undefined;
  if (details.due_by === null || seconds(context) <= details.due_by) return undefined;
  dispute.evidence_details = { ...details, past_due: true };
  if (dispute.status === 'warning_needs_response') dispute.status = 'warning_closed';
  else lose(dispute, context);
  return undefined;
};

export const disputeChecks: Effects = { 'disputes.update': mayUpdate };

export const disputeActions: Effects = { 'disputes.close': close, 'disputes.update': update };
