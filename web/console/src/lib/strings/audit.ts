import type { WorkspaceAuditEntry } from '@ocs/protocol/wire';

const texts: Record<string, string> = {
  account_made: 'Account created',
  signed_in: 'Signed in',
  signed_out: 'Signed out',
  session_confirmed: 'Confirmed by password or code',
  account_deleted: 'Account deleted',
  backup_made: 'Backup made',
  session_ended: 'Another browser signed out',
  password_changed: 'Password changed',
  second_factor_on: 'Two-factor authentication turned on',
  second_factor_off: 'Two-factor authentication turned off',
  second_factor_failed: 'Sign-in with the right password and a wrong code',
  recovery_codes_made: 'Recovery codes created',
  recovery_code_used: 'Recovery code used',
  email_changed: 'E-mail address changed',
  password_reset_created: 'Link for a new password created',
  password_reset: 'New password set by a link',
  workspace_created: 'Workspace created',
  workspace_renamed: 'Workspace renamed',
  workspace_deleted: 'Workspace deleted',
  member_invited: 'Invitation created',
  invitation_withdrawn: 'Invitation withdrawn',
  member_joined: 'Joined the workspace',
  member_changed: 'Role, sites or access changed',
  member_removed: 'Removed from the workspace',
  member_left: 'Left the workspace',
  ownership_transferred: 'Ownership transferred',
  site_made: 'Site created',
  site_changed: 'Site changed',
  site_deleted: 'Site deleted',
  chat_key_made: 'Chat API key created',
  chat_key_revoked: 'Chat API key revoked',
  widget_key_made: 'Widget key replaced',
  identity_secret_made: 'Identity secret created',
  identity_secret_deleted: 'Identity secret deleted',
  attack_cleaned_up: 'Cleaned up after a flood of visitors',
  attack_settled: 'Flood of visitors dismissed',
};

/** Describes an entry of the audit log. A newer server may send actions that this page does not know. */
export function auditActionText(action: string): string {
  const text = texts[action] ?? action.replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Who did it: a member, somebody whose account is deleted, or the person who runs the server. */
export function auditActorText({ account_id, account_name }: WorkspaceAuditEntry): string {
  if (account_id === null) return 'On the server’s command line';
  return account_name ?? 'A deleted account';
}
