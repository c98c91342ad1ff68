/** The OAuth2 scopes in words, as the consent page says them. */
export const SCOPES = {
  'account:read': 'See your profile, sessions and applications',
  'account:write': 'Change your profile, sessions and applications',
  'projects:read': 'See your projects, tasks and results',
  'projects:write': 'Create, publish and close projects',
  'work:read': 'See the work you may do and have done',
  'work:write': 'Claim and submit work in your name',
  'reviews:read': 'See answers that wait for your review',
  'reviews:write': 'Accept, reject and send back answers',
  'ledger:read': 'See your purses and statements',
  'ledger:write': 'Deposit into and pay out of your purses',
  'collectives:read': 'See your collectives',
  'collectives:write': 'Act in your collectives',
  'messages:read': 'Read your messages',
  'messages:write': 'Write messages in your name',
}

export function scopeWords(scope) {
  return SCOPES[scope] ?? scope
}
