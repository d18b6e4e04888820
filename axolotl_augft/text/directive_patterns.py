"""Patterns of sentences that read as instructions to a language model, for `text.directives`.

They are matched against single sentences, case-folded, without what stands in quotation marks. What may repeat is
bounded, so that a long sentence takes linear time.
"""

import re
from enum import StrEnum


class DirectiveKind(StrEnum):
    """What makes a passage read as an instruction to a model."""

    OVERRIDE = "override"
    ROLE = "role"
    ADDRESS = "address"
    OUTPUT = "output"
    MARKUP = "markup"
    COMMENT = "comment"


_MODEL = (
    r"(?:ais?|llms?|(?:large )?language models?|chat ?bots?|chatgpt|gpt(?:-\d)?|claude|gemini|copilot|bots?"
    r"|assistants?"
    r"|ai[- ](?:language )?(?:models?|assistants?|systems?|agents?|readers?|tools?))"
)
# Where an order begins: at the start of a clause, or after a word that leads to it.
_ORDER = (
    r"(?:^|[,;:!?…—>)*#-]\s*|\b(?:please|now|then|and|but|just|simply|instead|only|do|to you|always"
    r"|you (?:must|should|will|shall|can|are to|have to|need to))\s+)"
)
_GAP = r"[^.!?\n]"
_RULES = (
    r"(?:instructions?|directives?|directions|prompts?|requests|rules?|guidelines|commands?|orders|restrictions"
    r"|programming|system message)"
)
_ANSWER = (
    r"(?:answers?|responses?|repl(?:y|ies)|outputs?|messages?|statements?|conclusions?|summar(?:y|ies)|documents?)"
)
_PATTERNS = {
    DirectiveKind.OVERRIDE: (
        rf"{_ORDER}(?:ignore|disregard|forget|override|bypass|skip|abandon)\b{_GAP}{{0,30}}\b(?:all|any|the|your|every"
        rf"|previous|prior|above|earlier|preceding|foregoing|existing|initial|original|system|other)\b{_GAP}{{0,20}}"
        rf"\b{_RULES}\b(?:{_GAP}{{0,15}}\b(?:above|before|so far|previously|given|you))?",
        rf"{_ORDER}(?:ignore|disregard|forget)\s+(?:all|everything|anything|what)\b{_GAP}{{0,12}}\b(?:you|above|before"
        r"|previous)",
        r"\byour (?:new|only|real|actual|true|sole) (?:task|job|goal|instructions?|objective|purpose"
        r"|mission) (?:is|are)\b",
        r"^\W*(?:\w+ )?new (?:important |urgent )?(?:instructions?|task|directives?|system prompt)\s*(?::|\W*$)",
        rf"{_ORDER}(?:ignore|disregard) (?:instructions\b|the rest of (?:this|the) (?:text|data|document|page))",
        rf"\bregardless of (?:all |any |the |your )*(?:previous|prior|earlier|pre-?existing)\b{_GAP}{{0,20}}"
        rf"\b(?:{_RULES}|inputs?)\b",
        rf"\b(?:gave|given) you (?:your|the|these) {_RULES}\b",
        r"(?:ignorier\w*|vergiss|vergessen sie|missacht\w*)\b[^.!?]{0,30}\b(?:vorherig|vorig|bisherig|obig|früher|"
        r"vorangehend)\w*[^.!?]{0,15}(?:anweisung|instruktion|befehl|vorgabe|regel)",
        r"\b(?:ignore[sz]?|ignorer|oublie[sz]?)\b[^.!?]{0,25}\b(?:instructions|consignes|directives"
        r"|règles)\b[^.!?]{0,15}"
        r"(?:précédent|ci-dessus|antérieur|reçu)",
        r"\b(?:ignora|ignore[ns]?|olvida|olvide[ns]?|haz caso omiso)\b[^.!?]{0,25}\b(?:instrucciones|órdenes|reglas|"
        r"indicaciones)\b[^.!?]{0,15}(?:anterior|previa|de arriba)",
        r"\b(?:ignore[m]?|esqueça[m]?)\b[^.!?]{0,25}\b(?:instruções|ordens|regras)\b[^.!?]{0,15}(?:anterior"
        r"|acima|prévia)",
        r"\b(?:ignora(?:te)?|dimentica(?:te)?)\b[^.!?]{0,25}\b(?:istruzioni|regole|indicazioni)\b[^.!?]{0,15}"
        r"(?:precedent|sopra|ricevut)",
        r"\b(?:negeer|vergeet)\b[^.!?]{0,25}\b(?:vorige|voorgaande|eerdere|bovenstaande)\b[^.!?]{0,15}(?:instructies|"
        r"opdrachten|regels)",
        r"\b(?:z?ignoruj|zapomnij)\w*[^.!?]{0,25}\b(?:poprzedni|wcześniejsz|powyższ)\w*[^.!?]{0,15}(?:instrukcj"
        r"|poleceni"
        r"|zasad)",
        r"\b(?:(?:про)?игнорируй|забудь)\w*[^.!?]{0,30}\b(?:предыдущ|прежн|прошл"
        r"|вышеуказанн)\w*[^.!?]{0,15}(?:инструкци"
        r"|указани|правил|команд)",
        r"(?:忽略|无视|無視|忽視|忘记|忘記)[^。！？]{0,12}(?:之前|以上|先前|前面|上述|此前)[^。！？]{0,8}(?:指令|指示|提示|规则|規則|命令)",
        r"(?:以前|これまで|上記|前|すべて)[^。]{0,10}(?:指示|命令|ルール|プロンプト)[^。]{0,6}(?:無視|忘れ)",
        r"(?:이전|위의|앞의|모든)[^.]{0,10}(?:지시|명령|지침)[^.]{0,8}(?:무시|잊)",
        r"(?:تجاهل|انس)[^.]{0,25}(?:التعليمات|الأوامر|التوجيهات)[^.]{0,15}(?:السابقة|أعلاه)",
        r"(?:पिछले|पूर्व|उपरोक्त)[^।]{0,20}(?:निर्देश|आदेश)\S*[^।]{0,15}(?:अनदेखा|नज़रअंदाज़|भूल)",
        r"\b(?:önceki|yukarıdaki)\b[^.!?]{0,20}(?:talimat|komut|kural)\w*[^.!?]{0,15}(?:yok say|unut|görmezden)",
    ),
    DirectiveKind.ROLE: (
        rf"(?:\byou are now\b|\bfrom now on,? you\b|{_ORDER}(?:act as|pretend|imagine|role-?play)\b"
        rf"|\byou will act as\b)"
        rf"{_GAP}{{0,80}}\b(?:{_MODEL}|answers?|respon[ds]\w*|repl(?:y|ies)|unrestricted|restrictions|jailbr\w*"
        r"|(?:developer|god|debug|admin|dan) mode|no rules|without rules)\b",
        rf"^\W{{0,6}}you are (?:an? )?(?:[\w-]+,? ){{0,3}}(?:an? )?(?:[\w-]+ ){{0,3}}{_MODEL}\b",
        r"\b(?:developer|god|debug|admin|jailbreak|dan) mode (?:is )?(?:now )?(?:enabled|activated|on)\b",
        r"\byou are (?:now |currently )?(?:operating |running )?in (?:developer|god|debug|admin|jailbreak|dan) mode\b",
        r"\b(?:du bist|sie sind) (?:jetzt|nun|ab sofort)\b[^.!?]{0,40}(?:assistent|\bki\b|sprachmodell|chatbot"
        r"|einschränkung)",
        r"\b(?:tu es|vous êtes) (?:maintenant|désormais)\b[^.!?]{0,40}\b(?:assistant|ia|modèle|chatbot|restriction)",
        r"\ba partir de ahora,? (?:eres|serás|actúa)\b[^.!?]{0,40}\b(?:asistente|ia|modelo|chatbot|restricci)",
        r"\ba partir de agora,? (?:você é|és|serás)\b[^.!?]{0,40}\b(?:assistente|ia|modelo|chatbot|restriç)",
        r"\bd'ora in poi,? sei\b[^.!?]{0,40}\b(?:assistente|ia|modello|chatbot|restrizion)",
        r"\b(?:теперь ты|отныне ты)\b[^.!?]{0,40}(?:ассистент|помощник|\bии\b|модель|ограничени)",
        r"(?:你现在是|从现在开始[，,]?你|从现在起[，,]?你)[^。！？]{0,20}(?:助手|模型|人工智能|机器人|限制)",
    ),
    DirectiveKind.ADDRESS: (
        rf"\b(?:note|message|memo|hint|instructions?|attention|notice|reminder|request|warning)s? (?:to|for)"
        rf" (?:all |any |the |every )?{_MODEL}\b{_GAP}{{0,40}}:",
        rf"^\W{{0,6}}(?:(?:(?:dear|hey|hello|hi|attention|ok|okay),? )?{_MODEL}\s?[:!]|(?:dear|hey|hello"
        rf"|hi) {_MODEL}\s?,)\s",
        rf"\b(?:if|when|since|because|as) you(?:'re| are) (?:an? )?{_MODEL}\b",
        rf"\bas an? {_MODEL}\b,?{_GAP}{{0,20}}\byou (?:must|should|will|shall|have|need|are)\b",
        rf"\b{_MODEL}{_GAP}{{0,12}}\b(?:reading|processing|summari[sz]ing|parsing|paraphrasing|rewriting|indexing)\b"
        rf"{_GAP}{{0,20}}\b(?:this|the (?:text|page|document))\b{_GAP}{{0,30}}\b(?:must|should|shall|please|are to)\b",
        rf"\b(?:visible|readable|addressed|intended|meant|written) (?:only )?(?:to|by|for) {_MODEL}\b",
        r"\bif (?:the |a )?user (?:asks|requests|wants)\b",
        r"\bif (?:you are|you're) (?:told|asked|instructed|prompted) to (?:summari[sz]e|rewrite|rephrase"
        r"|paraphrase|translate"
        r"|analy[sz]e|process)\b",
        r"\bals (?:ki|sprachmodell|ki-\w+)\b[^.!?]{0,20}\b(?:musst|sollst|müssen|sollen) (?:du|sie)\b",
    ),
    DirectiveKind.OUTPUT: (
        rf"{_ORDER}(?:reveal|print|output|show|repeat|leak|display|disclose|tell me|give me)\b{_GAP}{{0,30}}"
        r"\b(?:system prompt|hidden (?:instructions?|prompt)|your (?:initial |original )?(?:instructions|prompt))\b",
        rf"{_ORDER}(?:begin|start|end|finish|preface|prefix|conclude) (?:your|every|each|all(?: your)?) {_ANSWER}"
        r" (?:with|by)\b",
        rf"{_ORDER}(?:respond|reply|answer) (?:(?:only|exclusively|solely|just|exactly) with|with (?:only"
        rf"|nothing but))\b",
        rf"{_ORDER}(?:respond|reply|answer) with (?:only )?the (?:single )?(?:words?|phrase|sentence|statement"
        rf"|string|text)\b",
        rf"{_ORDER}(?:write|say|output|print|return|repeat)(?: only| just| nothing but)? the (?:single "
        rf"|exact )?(?:word|phrase"
        r"|sentence|string)\b",
        rf"{_ORDER}(?:output|write|say|print|repeat|include|insert|add|append|mention|ensure|make sure"
        rf"|do)\b{_GAP}{{0,60}}\b(?:in|for|to|with"
        rf"|before|after|at the (?:end|beginning|start) of) (?:every|each|all"
        rf"|your) (?:of your )?(?!outputs?\b){_ANSWER}\b",
        rf"\b(?:do not|don't|never) (?:tell|mention|reveal|disclose)\b{_GAP}{{0,40}}\b(?:to )?the (?:user|human)\b",
        r"\b(?:antworte|schreibe?) (?:nur|ausschließlich) (?:mit|das wort|den satz)\b",
        r"\b(?:réponds|répondez|écris|écrivez) (?:uniquement|seulement) (?:par|avec|le mot|la phrase)\b",
        r"\b(?:responde|escribe) (?:solo|sólo|únicamente) (?:con|la palabra|la frase)\b",
        r"(?:只回答|只输出|仅回答|仅输出)[“\"「:：]",
    ),
    DirectiveKind.MARKUP: (
        r"^\W{0,6}system(?: (?:prompt|message|override))?\s?:\s?[^\n]{0,200}\b(?:you|your|must|always|never"
        r"|should|ignore"
        r"|respond|answers?|write|say|conclusions?)\b",
    ),
}  # fmt: skip
PATTERNS = [(kind, re.compile("|".join(patterns))) for kind, patterns in _PATTERNS.items()]
# A text without any of these has no passage that a pattern could find: it is the cheap test for most texts. The ranges
# are other scripts than Latin, and characters that can hide in a word.
TRIGGERS = re.compile(
    r"<!--|<\||<start_of|\[inst\]|<<sys|### ?[ihsu]|ignor|disregard|forget|overrid|bypass|skip |abandon|regardless"
    r"|your (?:new|only|real|actual|true|sole) |new (?:important |urgent )?(?:instr|task|direct|system)|gave you"
    r"|given you"
    r"|you are|you're|from now on|act as|pretend|imagine|role-?play|mode |\b(?:ais?|llms?|bots?|chat ?bots?)\b|model"
    r"|assistant|gpt|claude|gemini|copilot|prompt|hidden|if (?:the |a )?user|respond|reply|replies|answer|output"
    r"|response|message|statement|conclusion|summar|document|the (?:single |exact )?(?:word|phrase|sentence|string)"
    r"|the (?:user|human)|system|instruc|missacht|verg(?:iss|ess)|negeer|vergeet|oublie|olvid|caso omiso"
    r"|esque[cç]|dimentic"
    r"|zapomnij|önceki|yukarıdaki|du bist|sie sind|tu es|êtes|partir de|poi,? sei|als (?:ki|sprach)|schreib|antworte"
    r"|écri|répond|escrib"
    "|[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]"
    "|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ufb00-\ufb06\uff00-\uffef\U000e0000-\U000e007f]"
)
