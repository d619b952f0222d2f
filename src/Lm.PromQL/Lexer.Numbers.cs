namespace Lm.PromQL;

/// <content>Numbers and durations.</content>
internal sealed partial class Lexer
{
    private Token NumberOrDuration()
    {
        if (ScanNumber())
        {
            return Emit(TokenKind.Number);
        }

        return ScanDurationRest() ? Emit(TokenKind.Duration) : Fail($"bad number or duration syntax: {GoText.Quote(text.AsSpan(start, at - start))}");
    }

    // Takes what looks like a number; whether it is one shows when it is read.
    private bool ScanNumber() => semantics == PromSemantics.V2 ? ScanNumberV2() : ScanNumberV3();

    private bool ScanNumberV2()
    {
        var digits = Accept('0') && AcceptAny("xX") ? HexDigits : Digits;
        AcceptRun(digits);
        if (Accept('.'))
        {
            AcceptRun(digits);
        }

        if (AcceptAny("eE"))
        {
            AcceptAny("+-");
            AcceptRun(Digits);
        }

        return !IsAlphaNumeric(Current);
    }

    private bool ScanNumberV3()
    {
        var digits = Digits;
        if (Accept('0') && AcceptAny("xX"))
        {
            Accept('_');
            digits = HexDigits;
        }

        Accept('.');
        AcceptAny(digits);
        var hasPoint = false;
        var hasExponent = false;
        while (!IsAtEnd)
        {
            if (Accept('.'))
            {
                // Neither twice, nor before another sign, nor in a hexadecimal number.
                if (hasPoint || AcceptAny("_.") || digits == HexDigits)
                {
                    return false;
                }

                hasPoint = true;
            }
            else if (AcceptAny("eE"))
            {
                if (hasExponent)
                {
                    return false;
                }

                hasExponent = true;
                AcceptAny("+-");
                if (AcceptAny("._eE") || IsAtEnd)
                {
                    return false;
                }
            }
            else if (Accept('_'))
            {
                if (AcceptAny("._eE") || IsAtEnd)
                {
                    return false;
                }
            }
            else if (!AcceptRun(digits))
            {
                break;
            }
        }

        return at > start && !IsAlphaNumeric(Current);
    }

    // A unit, then digits and units in turn. Units that do not exist (hs) or come in the wrong order show when the duration is read.
    private bool ScanDurationRest()
    {
        if (!AcceptAny("smhdwy"))
        {
            return false;
        }

        Accept('s');
        while (AcceptRun(Digits))
        {
            if (!AcceptAny("smhdw"))
            {
                return false;
            }

            Accept('s');
        }

        if (!IsAlphaNumeric(Current))
        {
            return true;
        }

        at++;
        return false;
    }
}
