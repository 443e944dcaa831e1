/** Emoji by theme, each with search words. `*` marks emoji with skin tones. Rendered with the visitor's system font. */
const THEMES: [icon: string, list: string][] = [
  ["😀", "😀grin happy,😃smile joy,😄laugh,😁beam,😆haha,😅sweat relief,🤣rofl,😂tears joy lol,🙂slight smile,🙃upside down,😉wink,😊blush,😇angel,🥰love hearts,😍heart eyes,🤩star struck wow,😘kiss,😗whistle,😋yum tasty,😛tongue,😜joke,🤪crazy,🤗hug,🤭oops,🤔think hmm,🤐zip secret,🤨doubt,😐neutral,😑blank,😶silent,😏smirk,😒unamused,🙄eye roll,😬awkward,😌calm relieved,😔pensive sad,😪sleepy,😴sleep,😷mask ill,🤒fever,🤕hurt,🤢sick,🥵hot,🥶cold,🥴woozy,😵dizzy,🤯mind blown,🥳party,😎cool,🤓nerd,🧐curious,😕confused,😟worried,🙁frown,😮surprised,😲astonished,😳flushed,🥺please,😦frown open,😨fear,😰anxious,😥sad relief,😢cry,😭sob,😱scream,😖upset,😣struggle,😞disappointed,😓down,😩weary,😫tired,🥱yawn bored,😤steam,😡angry,😠mad,🤬swear,💀dead skull,💩poop,🤡clown,👻ghost,🤖robot"],
  ["👍", "👍*thumbs up yes ok good,👎*thumbs down no bad,👌*ok perfect,🤌*pinch,✌️*peace victory,🤞*luck fingers crossed,🤟*love you,🤘*rock,🤙*call,👈*left,👉*right,👆*up,👇*down,☝️*one point,✋*stop hand,👋*wave hello bye hi,🖖*vulcan,👏*clap bravo,🙌*hooray,🤝deal handshake,🙏*please thanks pray,✍️*write,💪*strong muscle,👀look eyes,🙋*raise question,🤷*shrug dunno,🤦*facepalm,🙆*okay,🙅*no,💁*info,🧑‍💻*coder work,👶*baby,👨‍👩‍👧family"],
  ["❤️", "❤️love heart red,🧡orange heart,💛yellow heart,💚green heart,💙blue heart,💜purple heart,🖤black heart,🤍white heart,💔broken heart,💕hearts,💖sparkle heart,💯hundred,✨sparkles,⭐star,🌟glow star,🔥fire hot,💥boom,💫dizzy,💦sweat drops,💤sleep zzz,🎉party tada congrats,🎊confetti,🎁gift present,🎈balloon,🏆trophy win,🥇gold medal,🎯target"],
  ["🐶", "🐶dog,🐱cat,🐭mouse,🐰rabbit,🦊fox,🐻bear,🐼panda,🐨koala,🐯tiger,🦁lion,🐮cow,🐷pig,🐸frog,🐵monkey,🐔chicken,🐧penguin,🐦bird,🦄unicorn,🐝bee,🦋butterfly,🐢turtle,🐙octopus,🐬dolphin,🐳whale,🌸blossom,🌹rose,🌻sunflower,🌲tree,🍀clover luck,🌈rainbow,☀️sun,⛅cloud,🌧️rain,❄️snow,🌙moon,🌍earth world"],
  ["☕", "☕coffee,🍵tea,🥤drink,🍺beer,🍷wine,🥂cheers,🍾champagne,🍎apple,🍌banana,🍓strawberry,🍇grapes,🍉watermelon,🥑avocado,🍕pizza,🍔burger,🍟fries,🌮taco,🍣sushi,🍜noodles,🍚rice,🥗salad,🍰cake,🎂birthday cake,🍪cookie,🍫chocolate,🍦ice cream,⚽football soccer,🏀basketball,🎾tennis,🎮game,🎵music,🎧headphones,📷camera,🚗car,🚌bus,🚲bike,✈️plane flight,🚀rocket,🏠home house,🏖️beach"],
  ["💡", "💡idea light,📱phone,💻laptop computer,⌨️keyboard,🖨️printer,💾save disk,📧email,📦package box delivery,🚚delivery truck,🛒cart shop,🛍️shopping bags,💰money,💳credit card pay,🧾receipt invoice,📅calendar date,⏰alarm clock,⏳wait hourglass,📌pin,📎attach clip,📝note write,📄document page,📊chart,🔍search,🔑key,🔒lock,🔧wrench fix,⚙️settings gear,🔗link,✅check done yes,☑️check box,❌cross no,❗important,❓question,⚠️warning,🚫forbidden,♻️recycle,🆕new,🆗ok,🔔bell,➡️arrow right,⬅️arrow left,🔄repeat refresh,➕plus,➖minus"],
];

export type Emoji = { char: string; words: string; tones: boolean };

export const themes = THEMES.map(([icon, list]) => ({ icon, list: list.split(",").map(parse) }));

export const TONES = ["", "🏻", "🏼", "🏽", "🏾", "🏿"];

/** Applies a skin tone: the modifier follows the first code point and replaces a variation selector. */
export const toned = ({ char, tones }: Emoji, tone: string): string => (tones && tone ? char.replace(/^(.)\ufe0f?/u, `$1${tone}`) : char);

function parse(entry: string): Emoji {
  const at = entry.search(/[*a-z]/);
  return { char: entry.slice(0, at), words: entry.slice(at).replace("*", ""), tones: entry[at] === "*" };
}
