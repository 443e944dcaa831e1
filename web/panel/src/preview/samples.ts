type Samples = [visitor: string, agent: string, agentName: string, visitorAgain: string];

const en: Samples = ["Hello! Do you ship to Canada?", "We do! It takes about four days, and it’s free from $50.", "Ann", "Perfect, thank you!"];

const SAMPLES: Record<string, Samples> = {
  es: ["¡Hola! ¿Hacéis envíos a Canadá?", "¡Sí! Tarda unos cuatro días y es gratis a partir de 50 €.", "Ana", "¡Perfecto, gracias!"],
  fr: ["Bonjour ! Livrez-vous au Canada ?", "Oui ! Comptez environ quatre jours, et c’est offert dès 50 €.", "Anne", "Parfait, merci !"],
  ja: ["こんにちは。カナダへの発送はできますか？", "はい、可能です。4日ほどでお届けし、5,000円以上は送料無料です。", "安藤", "助かります、ありがとうございます！"],
  zh: ["你好！可以寄到加拿大吗？", "可以的！大约四天送达，满 300 元包邮。", "小安", "太好了，谢谢！"],
};

/** The sample messages of the live preview, in one of the widget's languages. */
export const samplesFor = (locale: string): Samples => SAMPLES[locale.slice(0, 2).toLowerCase()] ?? en;
