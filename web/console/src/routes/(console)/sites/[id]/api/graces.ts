/** How long a key still works after it was replaced, in seconds. */
export const graces = [
  { value: 0, label: 'At once' },
  { value: 3_600, label: 'In an hour' },
  { value: 86_400, label: 'In a day' },
  { value: 604_800, label: 'In a week' },
];
