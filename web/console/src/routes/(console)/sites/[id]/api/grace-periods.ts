/** How long a replaced key keeps working, in seconds. */
export const gracePeriods = [
  { value: 0, label: 'Immediately' },
  { value: 3_600, label: 'In 1 hour' },
  { value: 86_400, label: 'In 1 day' },
  { value: 604_800, label: 'In 1 week' },
];
