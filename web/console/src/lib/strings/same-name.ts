const comparable = (name: string) => name.normalize('NFKC').toLowerCase().replace(/[‘’ʼ`´]/g, "'").replace(/[“”]/g, '"').replace(/\s+/g, ' ').trim();

/** Whether the typed name is meant to be this one: case, kind of quotes and spaces don't count. */
export const isSameName = (typed: string, name: string): boolean => comparable(typed) === comparable(name);
