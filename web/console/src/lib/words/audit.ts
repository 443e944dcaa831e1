const words: Record<string, string> = {
  account_made: 'Account made',
  signed_in: 'Signed in',
  signed_out: 'Signed out',
  session_ended: 'Signed out another browser',
  password_changed: 'Password changed',
  second_factor_on: 'Second factor turned on',
  second_factor_off: 'Second factor turned off',
  second_factor_failed: 'Right password, wrong code',
  recovery_codes_made: 'New recovery codes',
  recovery_code_used: 'Recovery code used',
  site_made: 'Site made',
  site_changed: 'Site changed',
  site_deleted: 'Site deleted',
  chat_key_made: 'Chat API key made',
  chat_key_revoked: 'Chat API key revoked',
  widget_key_made: 'Widget key made',
  identity_secret_made: 'Identity secret made',
  identity_secret_deleted: 'Identity secret deleted',
  attack_cleaned_up: 'Cleaned up after an attack',
  attack_settled: 'Attack settled without a clean-up',
};

/** A line of the audit log in words. A newer server may know actions that this page does not. */
export function actionWords(action: string): string {
  return words[action] ?? action.replaceAll('_', ' ');
}
